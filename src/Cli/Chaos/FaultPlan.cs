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

    /// <summary>Nothing, to compare with.</summary>
    Calm,
}

/// <summary>A fault that is to be.</summary>
/// <param name="At">When, from the beginning on.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Process">To which process.</param>
/// <param name="For">How long until the process is continued or started again.</param>
internal sealed record PlannedFault(TimeSpan At, Fault Kind, string Process, TimeSpan For);

/// <summary>
/// Faults drawn from a seed, one after the other: the next begins when the one before is mended, and a pause later. So there
/// is always somebody who can answer, and a run can be repeated.
/// </summary>
internal static class FaultPlan
{
    private static readonly TimeSpan Beginning = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(8);

    /// <summary>The faults of a scene.</summary>
    public static IReadOnlyList<PlannedFault> Of(
        ChaosScene scene, int seed, TimeSpan length, IReadOnlyList<string> nodes, IReadOnlyList<string> gateways, string? store) => scene switch
    {
        ChaosScene.Calm => [],
        ChaosScene.Kill => Repeat(Fault.Kill, nodes, TimeSpan.FromSeconds(1), length),
        ChaosScene.Freeze => Repeat(Fault.Freeze, nodes, TimeSpan.FromSeconds(6), length),
        ChaosScene.Rolling => Repeat(Fault.Drain, [.. nodes, .. gateways], TimeSpan.FromSeconds(0.5), length).Take(nodes.Count + gateways.Count).ToList(),
        _ => Draw(seed, length, nodes, gateways, store),
    };

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
