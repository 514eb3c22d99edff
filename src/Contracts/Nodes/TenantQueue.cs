using Herd.Contracts.Conversations;

namespace Herd.Contracts.Nodes;

/// <summary>
/// The sequences of a tenant and priority class on a node. Nodes compute prompts by class, then by the service of the
/// tenant, and within a tenant short ones first.
/// </summary>
/// <param name="Tenant">The tenant's name.</param>
/// <param name="Priority">The priority class.</param>
/// <param name="Tokens">Prompt tokens that are not computed yet.</param>
/// <param name="Prompts">The number of prompts that these tokens are of.</param>
/// <param name="ShortTokens">Those of <paramref name="Tokens"/> that are of short prompts.</param>
/// <param name="Waiting">Sequences without a slot.</param>
/// <param name="Decoding">Sequences whose prompt is computed.</param>
/// <param name="Service">Virtual tokens that the tenant was served.</param>
[GenerateSerializer, Immutable, Alias("herd.TenantQueue")]
public sealed record TenantQueue(
    [property: Id(0)] string Tenant,
    [property: Id(1)] TurnPriority Priority,
    [property: Id(2)] int Tokens,
    [property: Id(3)] int Prompts,
    [property: Id(4)] int ShortTokens,
    [property: Id(5)] int Waiting,
    [property: Id(6)] int Decoding,
    [property: Id(7)] long Service);
