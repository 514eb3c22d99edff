using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Cli.Processes;

/// <summary>The cluster that 'herd up' runs on this machine: the content of run.json.</summary>
internal sealed record RunState
{
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required ClusterPlan Plan { get; init; }

    public required IReadOnlyList<RunningProcess> Processes { get; init; }

    /// <summary>The addresses of the gateways.</summary>
    [JsonIgnore]
    public IReadOnlyList<GatewayAddress> Gateways =>
    [
        .. Processes.Where(process => process.Program == "Gateway").Select((process, i) => new GatewayAddress(
            $"http://127.0.0.1:{Plan.GrpcPort + (2 * i)}",
            $"http://127.0.0.1:{Argument(process, ClusterPlan.AdminPort) ?? "8082"}",
            Argument(process, ClusterPlan.AdminKeyFile) is { } file ? SecretFile.Read(file) : null)),
    ];

    /// <summary>
    /// The same cluster, with an operators' key for gateways that do not run. A version before had none.
    /// </summary>
    public RunState WithOperatorKey()
    {
        var argument = ClusterPlan.OperatorKeyArgument();
        return this with
        {
            Processes =
            [
                .. Processes.Select(process => process.Program != "Gateway" || Machine.IsAlive(process)
                    || Argument(process, ClusterPlan.AdminKeyFile) is not null
                    ? process
                    : process with { Arguments = [.. process.Arguments, argument] }),
            ],
        };
    }

    /// <summary>The same cluster with further nodes, which are not started yet.</summary>
    /// <param name="nodes">The number of nodes afterwards.</param>
    /// <param name="threads">CPU threads of each new node.</param>
    public RunState Grow(int nodes, int threads)
    {
        var added = (Plan with { Threads = threads }).NewNodes(Plan.Nodes + 1, nodes - Plan.Nodes, Store());
        return this with
        {
            Plan = Plan with { Nodes = nodes },
            Processes = [.. Processes, .. added.Select(RunningProcess.NotStarted)],
        };
    }

    /// <summary>The arguments by which the cluster's processes reach its store.</summary>
    private IReadOnlyList<string> Store() =>
        [.. Processes.First(process => process.Program == "Silo").Arguments.Where(ClusterPlan.IsOfStore)];

    /// <summary>The same cluster without its last node, which has ended.</summary>
    public RunState WithoutLastNode() => this with
    {
        Plan = Plan with { Nodes = Plan.Nodes - 1 },
        Processes =
        [
            .. Processes.Where(process =>
                process.Name != $"node-{Plan.Nodes.ToString(CultureInfo.InvariantCulture)}"),
        ],
    };

    /// <returns>Null if no cluster runs here.</returns>
    /// <exception cref="CliException">The file cannot be read. Then nobody knows what runs.</exception>
    public static RunState? TryRead()
    {
        try
        {
            var state = JsonSerializer.Deserialize(File.ReadAllText(HerdHome.StateFile), RunStateJson.Default.RunState);
            return state is { Version: CurrentVersion }
                ? state
                : throw new JsonException(
                    $"it is of version {state?.Version}, and this Herd reads version {CurrentVersion}.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CliException(
                $"{HerdHome.StateFile}, the list of this cluster's processes, cannot be read: {e.Message} End the "
                + "processes that may run, then delete the file.");
        }
    }

    /// <summary>Writes the file atomically.</summary>
    public void Write()
    {
        HerdHome.Create();
        var temporary = HerdHome.StateFile + ".new";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, RunStateJson.Default.RunState));
        File.Move(temporary, HerdHome.StateFile, overwrite: true);
    }

    private static string? Argument(RunningProcess process, string name) => process.Arguments
        .FirstOrDefault(argument => argument.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    public static void Delete() => File.Delete(HerdHome.StateFile);
}

/// <summary>A process with its command line, so that it can be started again.</summary>
/// <param name="Name">Its name in the cluster.</param>
/// <param name="Program">The project of its program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Pid">Its id.</param>
/// <param name="Started">
/// Its start time in the kernel's ticks, which distinguishes it from a later process with the same id.
/// </param>
internal sealed record RunningProcess(
    string Name, string Program, IReadOnlyList<string> Arguments, int Pid, long Started)
{
    public static RunningProcess NotStarted(PlannedProcess planned) =>
        new(planned.Name, planned.Program, planned.Arguments, 0, 0);

    [JsonIgnore]
    public string Log => Path.Combine(HerdHome.Logs, $"{Name}.log");
}

/// <summary>The addresses of a gateway for gRPC.</summary>
/// <param name="Calls">The address for callers.</param>
/// <param name="Admin">The address for operators.</param>
/// <param name="AdminKey">The operators' key there; null means HERD_ADMIN_KEY.</param>
internal sealed record GatewayAddress(string Calls, string Admin, string? AdminKey)
{
    /// <summary>The default addresses of a gateway.</summary>
    public static readonly GatewayAddress Default = new("http://127.0.0.1:8081", "http://127.0.0.1:8082", null);

    /// <summary>
    /// $HERD_GATEWAY, $HERD_ADMIN and $HERD_ADMIN_KEY, else the cluster that 'herd up' runs here. The key of that
    /// cluster goes to no other address.
    /// </summary>
    public static GatewayAddress Configured()
    {
        var (calls, admin) = (Given("HERD_GATEWAY"), Given("HERD_ADMIN"));
        var here = calls is not null && admin is not null ? Default
            : RunState.TryRead()?.Gateways is [var first, ..] ? first
            : Default;
        return new GatewayAddress(
            calls ?? here.Calls,
            admin ?? here.Admin,
            Environment.GetEnvironmentVariable("HERD_ADMIN_KEY") ?? (admin is null ? here.AdminKey : null));
    }

    /// <exception cref="CliException">The variable is no address.</exception>
    private static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) switch
    {
        null => null,
        var text when Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" =>
            text,
        var text => throw new CliException(
            $"{variable} is '{text}', which is no address. Set it to one such as http://127.0.0.1:8081.",
            ExitCodes.BadInput),
    };
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunStateJson : JsonSerializerContext;
