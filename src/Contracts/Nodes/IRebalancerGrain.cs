namespace Herd.Contracts.Nodes;

/// <summary>
/// Migrates sessions at rest from full nodes to emptier ones. One in the cluster, with key 0; activated on a gateway.
/// </summary>
[Alias("herd.IRebalancerGrain")]
public interface IRebalancerGrain : IGrainWithIntegerKey
{
    /// <summary>Runs a round if one is due and none runs. Every gateway calls it periodically.</summary>
    [Alias("Rebalance")]
    Task Rebalance();
}

/// <summary>A session at rest that could migrate.</summary>
/// <param name="Tenant">The tenant of the conversation.</param>
/// <param name="Conversation">The conversation's id.</param>
/// <param name="Bytes">The approximate size of its KV cache.</param>
/// <param name="Idle">The time since its last use.</param>
[GenerateSerializer, Immutable, Alias("herd.RestingSession")]
public sealed record RestingSession(
    [property: Id(0)] string Tenant,
    [property: Id(1)] string Conversation,
    [property: Id(2)] long Bytes,
    [property: Id(3)] TimeSpan Idle);
