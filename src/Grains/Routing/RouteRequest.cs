using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;

namespace Herd.Grains.Routing;

/// <summary>The facts of a turn that routing uses.</summary>
internal sealed record RouteRequest
{
    /// <summary>The key of the turn's conversation.</summary>
    public required string Conversation { get; init; }

    public required PlacementReason Reason { get; init; }

    public string Tenant { get; init; } = "";

    public TurnPriority Priority { get; init; }

    /// <summary>The node with its session; null if there is none.</summary>
    public string? Home { get; init; }

    /// <summary>The approximate number of tokens of the prompt and the answer so far.</summary>
    public int Tokens { get; init; }

    /// <summary>The number of these tokens in the home's KV cache.</summary>
    public int CachedTokens { get; init; }

    /// <summary>The time since the home last computed for the session.</summary>
    public TimeSpan Idle { get; init; }

    /// <summary>The digest of the conversation's beginning; 0 if no other conversation can have the same.</summary>
    public ulong Prefix { get; init; }

    /// <summary>The approximate number of tokens of that beginning.</summary>
    public int PrefixTokens { get; init; }

    /// <summary>The nodes that must not be chosen.</summary>
    public IReadOnlySet<string> Excluded { get; init; } = new HashSet<string>();
}
