using Herd.Grains.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Inference.Simulated;

namespace Herd.Simulator.Faults;

/// <summary>
/// The settings of a simulated cluster. The defaults are those of a small one with all faults, in which computing takes
/// no time.
/// </summary>
internal sealed record ClusterSetup
{
    /// <summary>The smallest step of time.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// True if writes are stored although their writers get errors, runtimes round differently, and every token is
    /// checked.
    /// </summary>
    public bool IsFaulty { get; init; } = true;

    /// <summary>The timings of a node's runtime, by the node's name.</summary>
    public Func<string, SimulatedTimings> Timings { get; init; } = _ =>
        new SimulatedTimings { Speed = double.PositiveInfinity, AnswerTokens = 40 };

    /// <summary>A node's options without its files.</summary>
    public Func<NodeOptions> Node { get; init; } = () =>
        new NodeOptions { Slots = 2, ContextTokens = 2048, KvHostBytes = 1 << 20 };

    public RoutingOptions Routing { get; init; } = new();

    public RebalanceOptions Rebalance { get; init; } = new() { Cooldown = TimeSpan.FromSeconds(10) };
}
