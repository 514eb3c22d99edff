using Herd.Contracts.Nodes;

namespace Herd.Gateway.Doctor;

/// <summary>What was found of a cluster, by one of its gateways.</summary>
internal sealed record ClusterFacts
{
    public required GatewayFacts Gateway { get; init; }

    public required StoreFacts Store { get; init; }

    public required IReadOnlyList<ExaminedNode> Nodes { get; init; }
}

/// <summary>The gateway that was asked.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its build.</param>
/// <param name="Now">The time by its clock.</param>
/// <param name="IsKeyOpen">Whether everybody on its machine may read the cluster's key.</param>
/// <param name="AsksForKeys">Whether callers need a key.</param>
/// <param name="IsLocal">Whether only this machine reaches it.</param>
/// <param name="CertificateEnds">When its certificate is no longer good; null without TLS.</param>
internal sealed record GatewayFacts(
    string Name, string Version, DateTimeOffset Now, bool IsKeyOpen, bool AsksForKeys, bool IsLocal, DateTimeOffset? CertificateEnds);

/// <summary>The store.</summary>
/// <param name="Failure">Why it does not answer; null when it does.</param>
/// <param name="Wait">How long an answer takes.</param>
/// <param name="Described">What it says of itself, by field.</param>
internal sealed record StoreFacts(string? Failure, TimeSpan Wait, IReadOnlyDictionary<string, string> Described);

/// <summary>A node.</summary>
/// <param name="Report">Its latest report.</param>
/// <param name="Facts">What it says when it is asked; null when it does not answer.</param>
/// <param name="Skew">How far its clock is ahead.</param>
internal sealed record ExaminedNode(NodeReport Report, NodeFacts? Facts, TimeSpan Skew);
