using System.Text.Json.Serialization;

namespace Herd.Contracts.Placements;

/// <summary>The reason of a placement. The numbers are a contract, of messages and of the store.</summary>
public enum PlacementReason
{
    /// <summary>A turn began.</summary>
    Turn = 1,

    /// <summary>The node of the answer failed or is silent.</summary>
    NodeFailed = 2,

    /// <summary>The node of the answer or session drains.</summary>
    NodeDrains = 3,

    /// <summary>Another node has less load.</summary>
    Rebalanced = 4,

    /// <summary>An operator requested it.</summary>
    Asked = 5,
}

/// <summary>
/// The source of a conversation's KV cache. The numbers are a contract, of messages and of the store.
/// </summary>
public enum KvOrigin
{
    /// <summary>None: the whole prompt is computed.</summary>
    Replay = 1,

    Device = 2,

    Host = 3,

    Disk = 4,

    /// <summary>The KV cache is pulled from the home.</summary>
    Pull = 5,

    /// <summary>Another conversation of the same tenant has the beginning of the prompt.</summary>
    Shared = 6,
}

/// <summary>The node that was chosen for a conversation, and why.</summary>
[GenerateSerializer, Immutable, Alias("herd.PlacementDecision")]
public sealed record PlacementDecision
{
    [Id(0), JsonPropertyName("at")] public required DateTimeOffset At { get; init; }

    [Id(1), JsonPropertyName("reason")] public required PlacementReason Reason { get; init; }

    /// <summary>The name of the routing policy.</summary>
    [Id(2), JsonPropertyName("policy")] public required string Policy { get; init; }

    [Id(3), JsonPropertyName("node")] public required string Node { get; init; }

    /// <summary>The home before; null if there was none.</summary>
    [Id(4), JsonPropertyName("home")] public string? Home { get; init; }

    /// <summary>The number of nodes that could take it.</summary>
    [Id(5), JsonPropertyName("possible")] public int Possible { get; init; }

    /// <summary>The estimates for the chosen node, the home, and the best other node.</summary>
    [Id(6), JsonPropertyName("considered")] public IReadOnlyList<TtftEstimate> Considered { get; init; } = [];

    /// <summary>The estimate for the chosen node; null if it was not stored.</summary>
    public TtftEstimate? Chosen => Considered.FirstOrDefault(considered => considered.Node == Node);

    /// <summary>The result of the pull; null if none was tried.</summary>
    [Id(7), JsonPropertyName("move")] public Nodes.KvPull? Pull { get; init; }
}

/// <summary>The time to the first token that is predicted for a turn on a node. Times are in seconds.</summary>
/// <param name="Node">The node.</param>
/// <param name="Queue">Time until earlier prompts are computed.</param>
/// <param name="Origin">The cheapest source of the KV cache.</param>
/// <param name="Kv">Time to get the KV cache from there and to compute the rest of the prompt.</param>
/// <param name="DecodeContention">Time that decoding of other sequences adds.</param>
/// <param name="StalenessPenalty">The factor of the sum for an old report; 1 for a new one.</param>
/// <param name="Total">
/// The total. The node with the lowest total is chosen, with a margin in favour of the home.
/// </param>
[GenerateSerializer, Immutable, Alias("herd.Forecast")]
public sealed record TtftEstimate(
    [property: Id(0), JsonPropertyName("node")] string Node,
    [property: Id(1), JsonPropertyName("queue")] double Queue,
    [property: Id(2), JsonPropertyName("origin")] KvOrigin Origin,
    [property: Id(3), JsonPropertyName("kv")] double Kv,
    [property: Id(4), JsonPropertyName("crowding")] double DecodeContention,
    [property: Id(5), JsonPropertyName("doubt")] double StalenessPenalty,
    [property: Id(6), JsonPropertyName("total")] double Total)
{
    /// <summary>
    /// The predicted time to the first token. The total also counts costs that come later, or that a tenant does not
    /// have; null if it was not stored.
    /// </summary>
    [Id(7), JsonPropertyName("first_token")] public double? FirstToken { get; init; }

    /// <summary>Tokens to compute for it; null if they were not stored.</summary>
    [Id(8), JsonPropertyName("tokens")] public int? Tokens { get; init; }
}
