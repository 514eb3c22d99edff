using Herd.Grains.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Inference.Simulated;

namespace Herd.Simulator.Faults;

/// <summary>What a simulated cluster is like. The defaults are of small ones in which everything fails, and computing takes no time.</summary>
internal sealed record ClusterSetup
{
    /// <summary>The smallest time that passes.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether writes land of which their writers are not told, runtimes round differently, and every token is watched.</summary>
    public bool IsFaulty { get; init; } = true;

    /// <summary>How long a node's runtime takes, by its name.</summary>
    public Func<string, SimulatedTimings> Timings { get; init; } = _ => new SimulatedTimings { Speed = double.PositiveInfinity, AnswerTokens = 40 };

    /// <summary>A node's options, beside its files.</summary>
    public Func<NodeOptions> Node { get; init; } = () => new NodeOptions { Slots = 2, ContextTokens = 2048, KvHostBytes = 1 << 20 };

    public RoutingOptions Routing { get; init; } = new();

    public RebalanceOptions Rebalance { get; init; } = new() { Cooldown = TimeSpan.FromSeconds(10) };
}
