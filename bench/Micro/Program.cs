using System.Text.Json.Nodes;
using BenchmarkDotNet.Running;

const string Json = "--json";
var summaries = BenchmarkSwitcher.FromAssembly(typeof(Herd.Micro.EventBenchmark).Assembly)
    .Run([.. args.Where(argument => argument != Json)]).ToList();
if (args.Contains(Json))
{
    Console.WriteLine(new JsonObject
    {
        ["benchmarks"] = new JsonArray([
            .. summaries.SelectMany(summary => summary.Reports).Select(report => new JsonObject
            {
                ["benchmark"] = $"{report.BenchmarkCase.Descriptor.Type.Name}."
                    + report.BenchmarkCase.Descriptor.WorkloadMethod.Name,
                ["parameters"] = new JsonObject(report.BenchmarkCase.Parameters.Items.Select(
                    parameter => KeyValuePair.Create(parameter.Name, (JsonNode?)$"{parameter.Value}"))),
                ["mean_nanoseconds"] = report.ResultStatistics?.Mean,
                ["deviation_nanoseconds"] = report.ResultStatistics?.StandardDeviation,
                ["allocated_bytes"] = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase),
            }),
        ]),
    }.ToJsonString());
}
