using System.Diagnostics;
using Herd.FuzzModels;

if (args is [Worker.Mode])
{
    return Worker.Run();
}

if (FuzzOptions.Read(args) is not { } options)
{
    Console.Error.WriteLine(FuzzOptions.Usage);
    return 2;
}

var folder = Directory.CreateTempSubdirectory("herd-fuzz-");
try
{
    var watch = Stopwatch.StartNew();
    var report = new Fuzzer(options, folder.FullName).Run();
    if (options.Json)
    {
        Console.WriteLine(report.ToJson((long)watch.Elapsed.TotalSeconds).ToJsonString());
    }

    return report.NodeDeaths == 0 ? 0 : 1;
}
finally
{
    folder.Delete(recursive: true);
}
