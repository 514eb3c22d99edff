using Herd.Contracts.Placements;

namespace Herd.Grains.Routing;

/// <summary>What is known of a turn when it is placed.</summary>
internal sealed record RouteRequest
{
    /// <summary>Whose turn: the conversation's key.</summary>
    public required string Conversation { get; init; }

    public required PlacementReason Reason { get; init; }

    /// <summary>The node that holds its KV cache; null when none does.</summary>
    public string? Home { get; init; }

    /// <summary>About how many tokens the prompt has, and the answer so far.</summary>
    public int Tokens { get; init; }

    /// <summary>How many of these the home has keys and values of.</summary>
    public int Held { get; init; }

    /// <summary>How long ago the home last computed for it.</summary>
    public TimeSpan Idle { get; init; }

    /// <summary>What the conversation begins with; 0 for nothing that others may begin with too.</summary>
    public ulong Prefix { get; init; }

    /// <summary>About how many tokens that has.</summary>
    public int PrefixTokens { get; init; }

    /// <summary>Nodes that are not possible.</summary>
    public IReadOnlySet<string> Excluded { get; init; } = new HashSet<string>();
}
