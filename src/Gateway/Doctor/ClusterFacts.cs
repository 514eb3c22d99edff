using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage.Encryption;

namespace Herd.Gateway.Doctor;

/// <summary>The state of a cluster, as one of its gateways found it.</summary>
internal sealed record ClusterFacts
{
    public required GatewayFacts Gateway { get; init; }

    public required StoreFacts Store { get; init; }

    public required IReadOnlyList<ExaminedNode> Nodes { get; init; }

    /// <summary>The contents that failed nodes.</summary>
    public required IReadOnlyList<SuspectContent> Suspects { get; init; }
}

/// <summary>The gateway that examined the cluster.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its build.</param>
/// <param name="Now">The time of its clock.</param>
/// <param name="IsKeyOpen">True if every user of its machine may read the cluster's key.</param>
/// <param name="NeedsKeys">True if callers need a key.</param>
/// <param name="IsLocal">True if only its own machine reaches it.</param>
/// <param name="CertificateEnds">The end of its certificate's validity; null without TLS.</param>
internal sealed record GatewayFacts(
    string Name,
    string Version,
    DateTimeOffset Now,
    bool IsKeyOpen,
    bool NeedsKeys,
    bool IsLocal,
    DateTimeOffset? CertificateEnds);

/// <summary>The store.</summary>
/// <param name="Failure">The reason why it does not respond; null if it does.</param>
/// <param name="Wait">The time to an answer.</param>
/// <param name="HasPassword">True if it asks for a password.</param>
/// <param name="Described">Its settings, by name.</param>
/// <param name="Erasure">What its files hold of what was deleted; null if unknown.</param>
/// <param name="Keys">The names of the keys that stored conversations are encrypted with, the first one first.</param>
/// <param name="Encryption">The state of their rotation; null if unknown.</param>
/// <param name="Overdue">Conversations that retention should have deleted a day ago.</param>
internal sealed record StoreFacts(
    string? Failure,
    TimeSpan Wait,
    bool HasPassword,
    IReadOnlyDictionary<string, string> Described,
    ErasureState? Erasure = null,
    long Overdue = 0,
    string[]? Keys = null,
    EncryptionState? Encryption = null);

/// <summary>A node.</summary>
/// <param name="Report">Its latest report.</param>
/// <param name="Facts">Its answer to an inspection; null if it did not answer.</param>
/// <param name="Skew">The time by which its clock is ahead of the gateway's.</param>
internal sealed record ExaminedNode(NodeReport Report, NodeFacts? Facts, TimeSpan Skew);
