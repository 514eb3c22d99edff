namespace Herd.Contracts.Nodes;

/// <summary>
/// Decides how many nodes each pool should have, and drains surplus nodes. One in the cluster, with key 0; activated on
/// a gateway.
/// </summary>
[Alias("herd.IScalerGrain")]
public interface IScalerGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Records the turns held at a gateway, runs a round if due, and returns the advice. Every gateway calls it each
    /// second.
    /// </summary>
    [Alias("Advise")]
    Task<IReadOnlyList<PoolAdvice>> Advise(HeldTurns held);
}

/// <summary>Turns that wait at a gateway because their model has no node.</summary>
/// <param name="Gateway">The gateway's name.</param>
/// <param name="ByModel">The number of turns by model.</param>
[GenerateSerializer, Immutable, Alias("herd.HeldTurns")]
public sealed record HeldTurns(
    [property: Id(0)] string Gateway, [property: Id(1)] IReadOnlyDictionary<string, int> ByModel);

/// <summary>The state of a pool, and how many nodes it should have.</summary>
[GenerateSerializer, Immutable, Alias("herd.PoolAdvice")]
public sealed record PoolAdvice
{
    /// <summary>The model that the pool's nodes serve.</summary>
    [Id(0)] public required string Model { get; init; }

    /// <summary>Nodes that it should have. A draining node counts until it is empty.</summary>
    [Id(1)] public required int Wanted { get; init; }

    /// <summary>Nodes that take work.</summary>
    [Id(2)] public int Ready { get; init; }

    /// <summary>The predicted time to the first token of a new turn, in seconds; 0 without nodes.</summary>
    [Id(3)] public double Ttft { get; init; }

    /// <summary>The target for that time.</summary>
    [Id(4)] public double TargetTtft { get; init; }

    /// <summary>Running and queued sequences as a share of the slots.</summary>
    [Id(5)] public double SlotUse { get; init; }

    /// <summary>Turns that wait because the pool has no node.</summary>
    [Id(6)] public int Held { get; init; }

    /// <summary>The nodes that drain, or are empty and wait for their removal.</summary>
    [Id(7)] public IReadOnlyList<string> Retiring { get; init; } = [];
}
