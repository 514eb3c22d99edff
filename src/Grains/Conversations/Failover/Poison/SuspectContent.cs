using System.Text.Json.Serialization;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// Content whose nodes failed one after the other, without progress between them. A stored form: docs/stored-state.md.
/// </summary>
public sealed record SuspectContent
{
    /// <summary>If so many nodes failed, it is taken to no other.</summary>
    public const int NodesOfSuspects = 2;

    /// <summary>So many failed trials make it poison. One may be chance: the node would have failed anyway.</summary>
    public const int MaxFailedTrials = 2;

    /// <summary>The keyed digest of the content (<see cref="ContentDigest"/>).</summary>
    [JsonPropertyName("digest")] public required string Digest { get; init; }

    /// <summary>The tenant of the conversation.</summary>
    [JsonPropertyName("tenant")] public required string Tenant { get; init; }

    [JsonPropertyName("conversation")] public required string Conversation { get; init; }

    [JsonPropertyName("turn")] public required string Turn { get; init; }

    /// <summary>The tokens of the answer at the first failure.</summary>
    [JsonPropertyName("tokens")] public int Tokens { get; init; }

    /// <summary>The nodes that failed while they computed it. The one that failed last is the last.</summary>
    [JsonPropertyName("nodes")] public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>How often a node failed during a trial.</summary>
    [JsonPropertyName("failed_trials")] public int FailedTrials { get; init; }

    /// <summary>True if it is refused.</summary>
    [JsonPropertyName("is_poison")] public bool IsPoison { get; init; }

    /// <summary>The time from which on nothing is held against it.</summary>
    [JsonPropertyName("expires")] public required DateTimeOffset Expires { get; init; }

    /// <summary>True if it may run only on the nodes that it failed.</summary>
    [JsonIgnore]
    public bool IsSuspect => Nodes.Count >= NodesOfSuspects;

    /// <summary>The content after a node has failed. A failure of a suspect is that of a trial.</summary>
    public SuspectContent AddFailure(string node) => this with
    {
        Nodes = [.. Nodes.Where(other => other != node), node], FailedTrials = FailedTrials + (IsSuspect ? 1 : 0),
    };
}

[JsonSerializable(typeof(SuspectContent))]
internal sealed partial class SuspectJson : JsonSerializerContext;
