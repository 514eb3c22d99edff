using System.Globalization;

namespace Herd.Cli.Chaos;

/// <summary>What is done to a process.</summary>
internal enum Fault
{
    /// <summary>kill -9, and started again after a while.</summary>
    Kill,

    /// <summary>SIGSTOP, and SIGCONT after a while.</summary>
    Freeze,

    /// <summary>SIGTERM: it drains and ends, and is started again after a while.</summary>
    Drain,

    /// <summary>One more node is started.</summary>
    Add,

    /// <summary>The last node is drained, and not started again.</summary>
    Remove,
}

/// <summary>What is to go wrong.</summary>
internal enum ChaosScene
{
    /// <summary>Everything, drawn by lot.</summary>
    All,

    /// <summary>Nodes are killed, one after the other.</summary>
    Kill,

    /// <summary>Nodes are frozen, one after the other.</summary>
    Freeze,

    /// <summary>Every node and every gateway is drained and started again, one after the other.</summary>
    Rolling,

    /// <summary>A node is added after a third of the time, and drained for good after two.</summary>
    Scale,

    /// <summary>The store is away for nearly all of the time.</summary>
    Outage,

    /// <summary>Nothing, to compare with.</summary>
    Calm,
}

/// <summary>A fault that is to be.</summary>
/// <param name="At">When, from the beginning on.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Process">To which process.</param>
/// <param name="For">How long until the process is continued or started again.</param>
internal sealed record PlannedFault(TimeSpan At, Fault Kind, string Process, TimeSpan For)
{
    public override string ToString() =>
        $"{Kind} {Process}" + (For > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $" for {For.TotalSeconds:0.0} s") : "");
}

/// <summary>
/// Faults drawn from a seed, one after the other: the next begins when the one before is mended, and a pause later. So there
/// is always somebody who can answer, and a run can be repeated.
/// </summary>
internal static class FaultPlan
{
    /// <summary>Which of all faults a node is added as, and removed as.</summary>
    private const int AddAs = 3;
    private const int RemoveAs = 6;

    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(8);

    /// <summary>The faults of a scene.</summary>
    public static IReadOnlyList<PlannedFault> Create(
        ChaosScene scene, int seed, TimeSpan length, IReadOnlyList<string> nodes, IReadOnlyList<string> gateways, string? store) => scene switch
    {
        ChaosScene.Calm => [],
        ChaosScene.Scale => [Add(nodes, length / 3), Remove(nodes, length * 2 / 3)],
        ChaosScene.Outage => store is null || length <= Beginning + Recovery ? [] : [new PlannedFault(Beginning, Fault.Kill, store, length - Beginning - Recovery)],
        ChaosScene.Kill => Repeat(Fault.Kill, nodes, TimeSpan.FromSeconds(1), length),
        ChaosScene.Freeze => Repeat(Fault.Freeze, nodes, TimeSpan.FromSeconds(6), length),
        ChaosScene.Rolling => Repeat(Fault.Drain, [.. nodes, .. gateways], TimeSpan.FromSeconds(0.5), length).Take(nodes.Count + gateways.Count).ToList(),
        _ => Draw(seed, length, nodes, gateways, store),
    };

    private static PlannedFault Add(IReadOnlyList<string> nodes, TimeSpan at) => new(at, Fault.Add, Next(nodes), TimeSpan.Zero);

    private static PlannedFault Remove(IReadOnlyList<string> nodes, TimeSpan at) => new(at, Fault.Remove, Next(nodes), TimeSpan.Zero);

    private static string Next(IReadOnlyList<string> nodes) => string.Create(CultureInfo.InvariantCulture, $"node-{nodes.Count + 1}");

    private static List<PlannedFault> Repeat(Fault kind, IReadOnlyList<string> processes, TimeSpan pause, TimeSpan length)
    {
        var plan = new List<PlannedFault>();
        for (var at = Beginning; at + pause + Recovery <= length; at += pause + Recovery)
        {
            plan.Add(new PlannedFault(at, kind, processes[plan.Count % processes.Count], pause));
        }

        return plan;
    }

    /// <param name="seed">The seed.</param>
    /// <param name="length">How long the run is; the last fault ends before.</param>
    /// <param name="nodes">The nodes' names.</param>
    /// <param name="gateways">The gateways' names; with one alone, none is touched.</param>
    /// <param name="store">The store's name; null when it is somebody else's.</param>
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
            <= 4 => new PlannedFault(at, Fault.Freeze, Pick(nodes), TimeSpan.FromSeconds(1 + (random.NextDouble() * 5))),
            <= 7 => new PlannedFault(at, Fault.Kill, Pick(nodes), pause),
            _ => new PlannedFault(at, Fault.Drain, Pick(nodes), pause),
        };

        string Pick(IReadOnlyList<string> among) => among[random.Next(among.Count)];
    }
}
