using System.Text.Json.Serialization;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// Content whose nodes failed one after the other, without progress between them. A stored form: docs/stored-state.md.
/// </summary>
public sealed record SuspectContent
{
    /// <summary>With so many failures it is taken to no other node.</summary>
    public const int FailuresOfSuspects = 2;

    /// <summary>With so many failures it is poison. One of a suspect may be chance.</summary>
    public const int FailuresOfPoison = 4;

    /// <summary>The keyed digest of the content (<see cref="ContentDigest"/>).</summary>
    [JsonPropertyName("digest")] public required string Digest { get; init; }

    /// <summary>The tenant of the conversation.</summary>
    [JsonPropertyName("tenant")] public required string Tenant { get; init; }

    [JsonPropertyName("conversation")] public required string Conversation { get; init; }

    [JsonPropertyName("turn")] public required string Turn { get; init; }

    /// <summary>The nodes that failed while they computed it.</summary>
    [JsonPropertyName("nodes")] public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The number of failures.</summary>
    [JsonPropertyName("failures")] public int Failures { get; init; }

    /// <summary>True if it is refused.</summary>
    [JsonPropertyName("is_poison")] public bool IsPoison { get; init; }

    /// <summary>The time from which on nothing is held against it.</summary>
    [JsonPropertyName("expires")] public required DateTimeOffset Expires { get; init; }

    /// <summary>True if it may run only on the nodes that it failed.</summary>
    [JsonIgnore]
    public bool IsSuspect => Failures >= FailuresOfSuspects;

    /// <summary>The content with one more failure.</summary>
    public SuspectContent AddFailure(string node) => this with
    {
        Nodes = [.. Nodes.Append(node).Distinct()], Failures = Failures + 1,
    };
}

[JsonSerializable(typeof(SuspectContent))]
internal sealed partial class SuspectJson : JsonSerializerContext;
