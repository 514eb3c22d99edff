using System.Text.Json.Serialization;

namespace Herd.Contracts.Placements;

/// <summary>Why a conversation was placed. The numbers are a contract, of messages and of the store.</summary>
public enum PlacementReason
{
    /// <summary>A turn began.</summary>
    Turn = 1,

    /// <summary>The node that answered failed, or no longer answers.</summary>
    NodeFailed = 2,

    /// <summary>The node that answered, or held the session, is about to leave.</summary>
    NodeDrains = 3,

    /// <summary>Another node has less to do.</summary>
    Rebalanced = 4,

    /// <summary>An operator asked for it.</summary>
    Asked = 5,
}

/// <summary>Where a conversation's KV cache would come from. The numbers are a contract, of messages and of the store.</summary>
public enum KvOrigin
{
    /// <summary>There is none: the whole prompt is computed.</summary>
    Replay = 1,

    Device = 2,

    Host = 3,

    Disk = 4,

    /// <summary>From the node that was its home.</summary>
    Pull = 5,

    /// <summary>What it begins with is there, of another conversation of the same tenant.</summary>
    Shared = 6,
}

/// <summary>Where a conversation was placed, and why there.</summary>
[GenerateSerializer, Immutable, Alias("herd.PlacementDecision")]
public sealed record PlacementDecision
{
    [Id(0), JsonPropertyName("at")] public required DateTimeOffset At { get; init; }

    [Id(1), JsonPropertyName("reason")] public required PlacementReason Reason { get; init; }

    /// <summary>The name of the policy that chose.</summary>
    [Id(2), JsonPropertyName("policy")] public required string Policy { get; init; }

    [Id(3), JsonPropertyName("node")] public required string Node { get; init; }

    /// <summary>Its home before; null when it had none.</summary>
    [Id(4), JsonPropertyName("home")] public string? Home { get; init; }

    /// <summary>How many nodes were possible.</summary>
    [Id(5), JsonPropertyName("possible")] public int Possible { get; init; }

    /// <summary>What was foreseen for the node that was chosen, for the home, and for the best of the others.</summary>
    [Id(6), JsonPropertyName("considered")] public IReadOnlyList<Forecast> Considered { get; init; } = [];

    /// <summary>What was foreseen for the node that was chosen; null where that was not kept.</summary>
    public Forecast? Chosen => Considered.FirstOrDefault(considered => considered.Node == Node);

    /// <summary>How bringing the KV cache went; null when it was not tried.</summary>
    [Id(7), JsonPropertyName("move")] public Nodes.KvMove? Move { get; init; }
}

/// <summary>The time to the first token that is foreseen for a turn on a node. Times are in seconds.</summary>
/// <param name="Node">The node.</param>
/// <param name="Queue">Until what was asked for before is computed.</param>
/// <param name="Origin">The cheapest way to have the KV cache there.</param>
/// <param name="Kv">That way, and computing the rest of the prompt.</param>
/// <param name="DecodeContention">What the answer's tokens wait for those of others.</param>
/// <param name="StalenessPenalty">What the sum is multiplied by, since what is known of the node is old; 1 means nothing.</param>
/// <param name="Total">All of it; the least is chosen, with a margin in favour of the home.</param>
[GenerateSerializer, Immutable, Alias("herd.Forecast")]
public sealed record Forecast(
    [property: Id(0), JsonPropertyName("node")] string Node,
    [property: Id(1), JsonPropertyName("queue")] double Queue,
    [property: Id(2), JsonPropertyName("origin")] KvOrigin Origin,
    [property: Id(3), JsonPropertyName("kv")] double Kv,
    [property: Id(4), JsonPropertyName("crowding")] double DecodeContention,
    [property: Id(5), JsonPropertyName("doubt")] double StalenessPenalty,
    [property: Id(6), JsonPropertyName("total")] double Total);
