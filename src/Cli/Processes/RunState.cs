using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Cli.Processes;

/// <summary>The cluster that 'herd up' runs on this machine, as it stands in run.json.</summary>
internal sealed record RunState
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required ClusterPlan Plan { get; init; }

    public required IReadOnlyList<RunningProcess> Processes { get; init; }

    /// <summary>Where the gateways listen, for callers and for operators.</summary>
    [JsonIgnore]
    public IReadOnlyList<GatewayAddress> Gateways =>
    [
        .. Processes.Where(process => process.Program == "Gateway").Select((process, i) => new GatewayAddress(
            $"http://127.0.0.1:{Plan.GrpcPort + (2 * i)}",
            $"http://127.0.0.1:{process.Arguments.FirstOrDefault(argument => argument.StartsWith(ClusterPlan.AdminPort, StringComparison.Ordinal))?.Split('=')[1] ?? "8082"}")),
    ];

    /// <summary>The same cluster with further nodes, which are yet to be started.</summary>
    /// <param name="nodes">How many there are to be.</param>
    /// <param name="threads">CPU threads of each of the new ones.</param>
    public RunState Grow(int nodes, int threads)
    {
        var store = Plan.Store ?? ClusterPlan.LocalStore(int.Parse(Processes.First(p => p.Program == "Store").Arguments[1], CultureInfo.InvariantCulture));
        var added = (Plan with { Threads = threads }).NewNodes(Plan.Nodes + 1, nodes - Plan.Nodes, store);
        return this with { Plan = Plan with { Nodes = nodes }, Processes = [.. Processes, .. added.Select(RunningProcess.NotStarted)] };
    }

    /// <summary>The same cluster without its last node, which has ended.</summary>
    public RunState WithoutLastNode() => this with
    {
        Plan = Plan with { Nodes = Plan.Nodes - 1 },
        Processes = [.. Processes.Where(process => process.Name != $"node-{Plan.Nodes.ToString(CultureInfo.InvariantCulture)}")],
    };

    /// <returns>Null when no cluster runs here, or its state cannot be read.</returns>
    public static RunState? TryRead()
    {
        try
        {
            var state = JsonSerializer.Deserialize(File.ReadAllText(HerdHome.StateFile), RunStateJson.Default.RunState);
            return state?.Version == CurrentVersion ? state : null;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes it whole or not at all.</summary>
    public void Write()
    {
        Directory.CreateDirectory(HerdHome.Path);
        var temporary = HerdHome.StateFile + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, RunStateJson.Default.RunState));
        File.Move(temporary, HerdHome.StateFile, overwrite: true);
    }

    public static void Delete() => File.Delete(HerdHome.StateFile);
}

/// <summary>A process and how it was started, so that it can be started again.</summary>
/// <param name="Name">Its name in the cluster.</param>
/// <param name="Program">The project it was built from.</param>
/// <param name="Arguments">What it was started with.</param>
/// <param name="Pid">Its id.</param>
/// <param name="Started">When it started, in the kernel's ticks: tells it from a later process with the same id.</param>
internal sealed record RunningProcess(
    string Name, string Program, IReadOnlyList<string> Arguments, int Pid, long Started)
{
    public static RunningProcess NotStarted(PlannedProcess planned) => new(planned.Name, planned.Program, planned.Arguments, 0, 0);

    [JsonIgnore]
    public string Log => Path.Combine(HerdHome.Logs, $"{Name}.log");
}

/// <summary>Where a gateway listens for gRPC.</summary>
/// <param name="Calls">For callers.</param>
/// <param name="Admin">For operators.</param>
internal sealed record GatewayAddress(string Calls, string Admin)
{
    /// <summary>As a gateway listens by itself.</summary>
    public static readonly GatewayAddress Default = new("http://127.0.0.1:8081", "http://127.0.0.1:8082");

    /// <summary>$HERD_GATEWAY and $HERD_ADMIN, else the cluster that 'herd up' runs here.</summary>
    public static GatewayAddress Configured()
    {
        var here = RunState.TryRead()?.Gateways is [var first, ..] ? first : Default;
        return new GatewayAddress(
            Environment.GetEnvironmentVariable("HERD_GATEWAY") ?? here.Calls, Environment.GetEnvironmentVariable("HERD_ADMIN") ?? here.Admin);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunStateJson : JsonSerializerContext;
