namespace Herd.Contracts.Nodes;

/// <summary>Says how many nodes each pool should have, and empties those that are to go. One in the cluster, with key 0; lives on a gateway.</summary>
[Alias("herd.IScalerGrain")]
public interface IScalerGrain : IGrainWithIntegerKey
{
    /// <summary>Takes note of what waits at a gateway, does what is due, and says what it has come to. Called by every gateway each second.</summary>
    [Alias("Advise")]
    Task<IReadOnlyList<PoolAdvice>> Advise(HeldTurns held);
}

/// <summary>Turns that wait at a gateway for a node to be there at all.</summary>
/// <param name="Gateway">The gateway's name.</param>
/// <param name="ByModel">How many, by the model they ask for.</param>
[GenerateSerializer, Immutable, Alias("herd.HeldTurns")]
public sealed record HeldTurns([property: Id(0)] string Gateway, [property: Id(1)] IReadOnlyDictionary<string, int> ByModel);

/// <summary>How a pool is and how many nodes it should have.</summary>
[GenerateSerializer, Immutable, Alias("herd.PoolAdvice")]
public sealed record PoolAdvice
{
    /// <summary>The model that the pool's nodes serve.</summary>
    [Id(0)] public required string Model { get; init; }

    /// <summary>Nodes it should have; one that is being emptied counts until it is empty.</summary>
    [Id(1)] public required int Wanted { get; init; }

    /// <summary>Nodes that take work.</summary>
    [Id(2)] public int Ready { get; init; }

    /// <summary>The time to the first token of a turn that comes now, as it is foreseen, in seconds; 0 without nodes.</summary>
    [Id(3)] public double Ttft { get; init; }

    /// <summary>What it should be at most.</summary>
    [Id(4)] public double TargetTtft { get; init; }

    /// <summary>Sequences that are computed or wait for it, as a share of the slots.</summary>
    [Id(5)] public double SlotUse { get; init; }

    /// <summary>Turns that wait for a node to be there at all.</summary>
    [Id(6)] public int Held { get; init; }

    /// <summary>The nodes that are being emptied, or are empty and wait to be taken away.</summary>
    [Id(7)] public IReadOnlyList<string> Retiring { get; init; } = [];
}
