using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Herd.Grains.Routing;
using Herd.Simulator;
using Herd.Simulator.Admission;
using Herd.Simulator.Faults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

var nodes = new Option<int>("--nodes") { DefaultValueFactory = _ => 1000, Description = "Nodes." };
var conversations = new Option<int>("--conversations")
{
    DefaultValueFactory = _ => 1_000_000, Description = "Conversations.",
};
var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1, Description = "The seed of random choices." };
var json = new Option<bool>("--json")
{
    Description = "Prints the figures as one JSON object in the last line.", Recursive = true,
};
var policy = new Option<string?>("--policy") { Description = "One policy by name; all of them without it." };
var grains = new Option<bool>("--grains")
{
    Description = "Real grains, links and engines instead of a model of them; for a hundred nodes and some ten "
        + "thousand conversations.",
};
var scale = new Command("scale", "Many conversations over many nodes, by every routing policy.")
{
    nodes, conversations, seed, policy, grains,
};
scale.SetAction(parsed =>
{
    using var setup = new Setup { Loggers = NullLoggerFactory.Instance };
    Console.WriteLine(
        "| policy | turns | TTFT p50 s | p99 s | busiest node beside the mean | history cached | pulled | rebalanced "
        + "| decisions/s |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
    var names = RoutingOptions.Policies(seed: 0)
        .Select(known => known.Name)
        .Where(name => parsed.GetValue(policy) is not { } asked || asked == name);
    var runs = new JsonArray();
    foreach (var name in names)
    {
        using var real = parsed.GetValue(grains)
            ? new GrainRun(name, parsed.GetValue(nodes), parsed.GetValue(conversations), parsed.GetValue(seed), setup)
            : null;
        var run = real?.Run()
            ?? new ScaleRun(name, parsed.GetValue(nodes), parsed.GetValue(conversations), parsed.GetValue(seed)).Run();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {run.Policy} | {run.Turns} | {run.FirstMedian:0.000} | {run.FirstP99:0.000} | {run.Imbalance:0.00} "
                + $"| {run.Cached:0.000} | {run.Pulled} | {run.Rebalanced} "
                + $"| {(run.DecisionsPerSecond is { } decisions ? $"{decisions:0}" : "-")} |"));
        runs.Add(run.ToJson());
    }

    if (parsed.GetValue(json))
    {
        Console.WriteLine(new JsonObject { ["policies"] = runs }.ToJsonString());
    }
});

var seeds = new Option<int>("--seeds")
{
    DefaultValueFactory = _ => 10_000, Description = "Runs, each with a seed of its own.",
};
var first = new Option<int>("--first") { Description = "The first seed." };
var log = new Option<bool>("--log") { Description = "Prints the logs of the processes." };
var faults = new Command(
    "faults", "Conversations on nodes, gateways and a store that fail, each run drawn from a seed.")
{
    seeds, first, log,
};
faults.SetAction(parsed =>
{
    var started = Stopwatch.GetTimestamp();
    using var loggers = LoggerFactory.Create(logging =>
    {
        if (parsed.GetValue(log))
        {
            logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Debug);
        }
    });
    using var setup = new Setup { Loggers = loggers };
    var runs = new List<FaultRunResult>();
    foreach (var seed in Enumerable.Range(parsed.GetValue(first), parsed.GetValue(seeds)))
    {
        runs.Add(FaultRun.Run(seed, setup));
        runs[^1].Violations.ToList().ForEach(Console.WriteLine);
    }

    var totals = FaultTotals.Sum(runs, Stopwatch.GetElapsedTime(started));
    Console.WriteLine(totals);
    if (parsed.GetValue(json))
    {
        Console.WriteLine(totals.ToJson());
    }

    return totals.Violations.Count == 0 ? 0 : 1;
});

var admissionSeeds = new Option<int>("--seeds") { DefaultValueFactory = _ => 4, Description = "Runs of each scene." };
var maxWait = new Option<double>("--max-wait")
{
    DefaultValueFactory = _ => 4, Description = "Gateway:MaxPredictedWait where refusals are tried, seconds.",
};
var tries = new Option<int>("--tries")
{
    DefaultValueFactory = _ => 5, Description = "Refused turns of a run that are taken, each in a run of its own.",
};
var scenes = new Option<string?>("--scene") { Description = "One scene by name; all of them without it." };
var turns = new Option<bool>("--turns") { Description = "Prints each turn." };
var admission = new Command(
    "admission", "What admission and routing predict and what comes, and whether a refused turn would have waited.")
{
    admissionSeeds, first, maxWait, tries, scenes, turns,
};
admission.SetAction(parsed =>
{
    using var setup = new Setup { Loggers = NullLoggerFactory.Instance };
    var all = Enumerable.Range(parsed.GetValue(first), parsed.GetValue(admissionSeeds)).ToList();
    var predictions = AdmissionReport.Predictions(all, parsed.GetValue(scenes), setup, parsed.GetValue(turns));
    var refusals = AdmissionReport.Refusals(
        all, TimeSpan.FromSeconds(parsed.GetValue(maxWait)), parsed.GetValue(tries), setup);
    if (parsed.GetValue(json))
    {
        Console.WriteLine(new JsonObject { ["scenes"] = predictions, ["refusals"] = refusals }.ToJsonString());
    }
});

return await new RootCommand("Simulates large and faulty clusters with the real routing, failover and rebalancing.")
{
    scale, faults, admission, json,
}.Parse(args).InvokeAsync();
