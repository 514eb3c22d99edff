using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Herd.Load.Targets;

/// <summary>A cluster that is started for one run and called through its gateway.</summary>
internal sealed class HerdGateway : HttpTarget
{
    private const int Port = 28080;

    private readonly DirectoryInfo _home;
    private readonly Dictionary<string, string> _environment = [];

    private HerdGateway(string name, DirectoryInfo home, string model)
        : base(name, new Uri($"http://127.0.0.1:{Port}"), model) => _home = home;

    /// <summary>Starts a cluster with simulated nodes, to measure the gateway.</summary>
    /// <param name="nodes">The number of nodes.</param>
    /// <param name="slots">The slots of each node.</param>
    /// <param name="speed">The factor by which nodes are faster than measured.</param>
    /// <param name="environment">Further settings of the processes.</param>
    public static async Task<HerdGateway> StartSimulated(
        int nodes, int slots, double speed, params (string Name, string Value)[] environment)
    {
        var gateway = new HerdGateway(
            "herd, simulated", Directory.CreateTempSubdirectory("herd-bench-"), "smollm2-135m-instruct");
        foreach (var (name, value) in environment)
        {
            gateway._environment[name] = value;
        }

        await gateway.Run(
            "up", "--detach", "--nodes", Text(nodes), "--slots", Text(slots),
            "--runtime", FormattableString.Invariant($"simulated:{speed}"),
            "--context", "2048", "--http", Text(Port), "--grpc", Text(Port + 1));
        return gateway;
    }

    /// <param name="setup">The settings of each node.</param>
    /// <param name="nodes">The number of nodes.</param>
    public static async Task<HerdGateway> Start(Setup setup, int nodes = 1)
    {
        var gateway = new HerdGateway(
            nodes == 1 ? "herd through its gateway" : $"herd, {nodes} nodes",
            Directory.CreateTempSubdirectory("herd-bench-"),
            Path.GetFileNameWithoutExtension(setup.Model));
        await gateway.Run(
            "up", "--detach", "--nodes", Text(nodes), "--slots", Text(setup.Slots),
            "--model", Path.GetFullPath(setup.Model),
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

    /// <summary>The gateway's process.</summary>
    public Process Process()
    {
        using var state = JsonDocument.Parse(File.ReadAllText(Path.Combine(_home.FullName, "run.json")));
        return System.Diagnostics.Process.GetProcessById(state.RootElement.GetProperty("processes").EnumerateArray()
            .Single(process => process.GetProperty("name").GetString() == "gateway-1").GetProperty("pid").GetInt32());
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("./herd", arguments) { RedirectStandardOutput = true };
        start.Environment["HERD_HOME"] = _home.FullName;
        start.Environment["Node__Speculate"] = "false";
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        using var process = System.Diagnostics.Process.Start(start)!;
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"./herd {arguments[0]} ended with {process.ExitCode}.");
        }
    }
}
