using System.Globalization;
using System.Text.Json.Nodes;

namespace Herd.Cli.Chaos;

/// <summary>The kind of a fault.</summary>
internal enum Fault
{
    /// <summary>kill -9; the process is started again after a while.</summary>
    Kill,

    /// <summary>SIGSTOP, and SIGCONT after a while.</summary>
    Freeze,

    /// <summary>SIGTERM: the process drains and ends, and is started again after a while.</summary>
    Drain,

    /// <summary>A node is added.</summary>
    Add,

    /// <summary>The last node is drained for good.</summary>
    Remove,
}

/// <summary>The faults of a run.</summary>
internal enum ChaosScene
{
    /// <summary>All kinds, at random.</summary>
    All,

    /// <summary>Nodes are killed in turn.</summary>
    Kill,

    /// <summary>Nodes are frozen in turn.</summary>
    Freeze,

    /// <summary>Every node and every gateway is drained and started again, in turn.</summary>
    Rolling,

    /// <summary>A node is added after a third of the time, and drained for good after two thirds.</summary>
    Scale,

    /// <summary>The store is stopped for nearly all of the time.</summary>
    Outage,

    /// <summary>No faults, for comparison.</summary>
    Calm,
}

/// <summary>A planned fault.</summary>
/// <param name="At">The time since the begin of the run.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Process">The name of the process.</param>
/// <param name="For">The time until the process is continued or started again.</param>
internal sealed record PlannedFault(TimeSpan At, Fault Kind, string Process, TimeSpan For)
{
    public override string ToString() =>
        $"{Kind} {Process}" + (For > TimeSpan.Zero
            ? string.Create(CultureInfo.InvariantCulture, $" for {For.TotalSeconds:0.0} s")
            : "");
}

/// <summary>
/// Faults drawn from a seed, one at a time: the next one begins a pause after the one before was repaired. So some
/// process can always respond, and a run can be repeated.
/// </summary>
internal static class FaultPlan
{
    /// <summary>The positions, among all faults, at which a node is added and removed.</summary>
    private const int AddAs = 3;
    private const int RemoveAs = 6;

    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(8);

    /// <summary>The faults of a scene.</summary>
    public static IReadOnlyList<PlannedFault> Create(
        ChaosScene scene,
        int seed,
        TimeSpan length,
        IReadOnlyList<string> nodes,
        IReadOnlyList<string> gateways,
        string? store) => scene switch
    {
        ChaosScene.Calm => [],
        ChaosScene.Scale => [Add(nodes, length / 3), Remove(nodes, length * 2 / 3)],
        ChaosScene.Outage => store is null || length <= Beginning + Recovery
            ? []
            : [new PlannedFault(Beginning, Fault.Kill, store, length - Beginning - Recovery)],
        ChaosScene.Kill => Repeat(Fault.Kill, nodes, TimeSpan.FromSeconds(1), length),
        ChaosScene.Freeze => Repeat(Fault.Freeze, nodes, TimeSpan.FromSeconds(6), length),
        ChaosScene.Rolling => Repeat(Fault.Drain, [.. nodes, .. gateways], TimeSpan.FromSeconds(0.5), length)
            .Take(nodes.Count + gateways.Count).ToList(),
        _ => Draw(seed, length, nodes, gateways, store),
    };

    public static string ToJson(IEnumerable<PlannedFault> plan) => new JsonObject
    {
        ["faults"] = new JsonArray([
            .. plan.Select(fault => new JsonObject
            {
                ["at_seconds"] = Math.Round(fault.At.TotalSeconds, 3),
                ["kind"] = fault.Kind.ToString().ToLowerInvariant(),
                ["process"] = fault.Process,
                ["for_seconds"] = Math.Round(fault.For.TotalSeconds, 3),
            }),
        ]),
    }.ToJsonString();

    private static PlannedFault Add(IReadOnlyList<string> nodes, TimeSpan at) =>
        new(at, Fault.Add, Next(nodes), TimeSpan.Zero);

    private static PlannedFault Remove(IReadOnlyList<string> nodes, TimeSpan at) =>
        new(at, Fault.Remove, Next(nodes), TimeSpan.Zero);

    private static string Next(IReadOnlyList<string> nodes) =>
        string.Create(CultureInfo.InvariantCulture, $"node-{nodes.Count + 1}");

    private static List<PlannedFault> Repeat(
        Fault kind, IReadOnlyList<string> processes, TimeSpan pause, TimeSpan length)
    {
        var plan = new List<PlannedFault>();
        for (var at = Beginning; at + pause + Recovery <= length; at += pause + Recovery)
        {
            plan.Add(new PlannedFault(at, kind, processes[plan.Count % processes.Count], pause));
        }

        return plan;
    }

    /// <param name="seed">The seed.</param>
    /// <param name="length">The length of the run; the last fault ends before.</param>
    /// <param name="nodes">The nodes' names.</param>
    /// <param name="gateways">The gateways' names; a single gateway gets no faults.</param>
    /// <param name="store">The store's name; null if 'herd up' did not start it.</param>
    public static IReadOnlyList<PlannedFault> Draw(
        int seed, TimeSpan length, IReadOnlyList<string> nodes, IReadOnlyList<string> gateways, string? store)
    {
        var random = new Random(seed);
        var plan = new List<PlannedFault>();
        for (var at = Beginning; ;)
        {
            var fault = Draw(random, at, nodes, gateways, store);
            fault = plan.Count == AddAs ? Add(nodes, at) : plan.Count == RemoveAs ? Remove(nodes, at) : fault;
            at += fault.For + Recovery + TimeSpan.FromSeconds(random.NextDouble() * 4);
            if (at > length)
            {
                return plan;
            }

            plan.Add(fault);
        }
    }

    private static PlannedFault Draw(
        Random random, TimeSpan at, IReadOnlyList<string> nodes, IReadOnlyList<string> gateways, string? store)
    {
        var pause = TimeSpan.FromSeconds(0.5 + (random.NextDouble() * 3));
        return random.Next(10) switch
        {
            0 when store is not null => new PlannedFault(at, Fault.Kill, store, TimeSpan.FromSeconds(0.5)),
            0 or 1 when gateways.Count > 1 => new PlannedFault(at, Fault.Kill, Pick(gateways), pause),
            2 when gateways.Count > 1 => new PlannedFault(at, Fault.Drain, Pick(gateways), pause),
            <= 4 => new PlannedFault(
                at, Fault.Freeze, Pick(nodes), TimeSpan.FromSeconds(1 + (random.NextDouble() * 5))),
            <= 7 => new PlannedFault(at, Fault.Kill, Pick(nodes), pause),
            _ => new PlannedFault(at, Fault.Drain, Pick(nodes), pause),
        };

        string Pick(IReadOnlyList<string> among) => among[random.Next(among.Count)];
    }
}
