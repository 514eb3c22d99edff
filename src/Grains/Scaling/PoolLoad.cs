using Herd.Grains.Routing;

namespace Herd.Grains.Scaling;

/// <summary>The load of a pool's nodes. Times are in seconds.</summary>
internal readonly record struct PoolLoad
{
    /// <summary>The number of nodes that take work.</summary>
    public int Ready { get; init; }

    /// <summary>The number of their slots.</summary>
    public int Slots { get; init; }

    /// <summary>The number of sequences that they compute or that wait on them.</summary>
    public int Sequences { get; init; }

    /// <summary>The sum of the nodes' queues.</summary>
    public double Backlog { get; init; }

    /// <summary>The mean time to compute a token of a prompt.</summary>
    public double PerToken { get; init; }

    /// <summary>The shortest idle time of a session that recently lost its KV cache; infinite if none did.</summary>
    public double ForgottenIdle { get; init; }

    /// <summary>The number of turns that are held until there is a node.</summary>
    public int Held { get; init; }

    public static PoolLoad From(IReadOnlyCollection<NodeEstimate> nodes) => new()
    {
        Ready = nodes.Count,
        Slots = nodes.Sum(node => node.Slots),
        Sequences = nodes.Sum(node => node.Load),
        Backlog = nodes.Sum(node => node.Queue),
        PerToken = nodes.Select(node => node.PerToken).DefaultIfEmpty().Average(),
        ForgottenIdle = nodes.Select(node => node.ForgottenIdle).DefaultIfEmpty(double.PositiveInfinity).Min(),
    };

    /// <summary>The predicted time to the first token of a turn that arrives now.</summary>
    public double Ttft(int promptTokens) => Ready == 0 ? 0 : (Backlog / Ready) + (promptTokens * PerToken);
}
