using Herd.Grains.Routing;

namespace Herd.Grains.Scaling;

/// <summary>What the nodes of a pool have to do. Times are in seconds.</summary>
internal readonly record struct PoolLoad
{
    /// <summary>Nodes that take work.</summary>
    public int Ready { get; init; }

    /// <summary>Their slots.</summary>
    public int Slots { get; init; }

    /// <summary>Sequences that they compute, or that wait there.</summary>
    public int Sequences { get; init; }

    /// <summary>What all of them need until a turn that comes now is next.</summary>
    public double Backlog { get; init; }

    /// <summary>To compute a token of a prompt, the mean.</summary>
    public double PerToken { get; init; }

    /// <summary>How long the session had been idle that was forgotten soonest of late; infinite when none was.</summary>
    public double ForgottenIdle { get; init; }

    /// <summary>Turns that wait for a node to be there at all.</summary>
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

    /// <summary>The time to the first token that is foreseen for a turn that comes now.</summary>
    public double Ttft(int promptTokens) => Ready == 0 ? 0 : (Backlog / Ready) + (promptTokens * PerToken);
}
