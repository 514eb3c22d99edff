using System.Diagnostics;
using System.Globalization;

namespace Herd.Load.Targets;

/// <summary>A whole cluster, started for one run and asked through its gateway.</summary>
internal sealed class HerdGateway : HttpTarget
{
    private const int Port = 28080;

    private readonly DirectoryInfo _home;

    private HerdGateway(string name, DirectoryInfo home, string model)
        : base(name, new Uri($"http://127.0.0.1:{Port}"), model) => _home = home;

    /// <param name="setup">What each node is given.</param>
    /// <param name="nodes">How many nodes.</param>
    public static async Task<HerdGateway> Start(Setup setup, int nodes = 1)
    {
        var gateway = new HerdGateway(
            nodes == 1 ? "herd through its gateway" : $"herd, {nodes} nodes",
            Directory.CreateTempSubdirectory("herd-bench-"),
            Path.GetFileNameWithoutExtension(setup.Model));
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        await gateway.Run(
            "up", "--detach", "--nodes", Text(nodes), "--model", Path.GetFullPath(setup.Model), "--slots", Text(setup.Slots),
            "--context", Text(setup.Cells / setup.Slots), "--threads", Text(setup.Threads),
            "--http", Text(Port), "--grpc", Text(Port + 1));
        return gateway;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Run("down");
        _home.Delete(recursive: true);
    }

    private async Task Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("./herd", arguments) { RedirectStandardOutput = true };
        start.Environment["HERD_HOME"] = _home.FullName;
        start.Environment["Node__Speculate"] = "false";
        using var process = Process.Start(start)!;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"./herd {arguments[0]} ended with {process.ExitCode}.");
        }
    }
}
