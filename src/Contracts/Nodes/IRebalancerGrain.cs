namespace Herd.Contracts.Nodes;

/// <summary>Moves sessions at rest from nodes that have too many to nodes that have few. One in the cluster, with key 0; lives on a gateway.</summary>
[Alias("herd.IRebalancerGrain")]
public interface IRebalancerGrain : IGrainWithIntegerKey
{
    /// <summary>Does what is due. Called by every gateway now and then; what is under way is not begun again.</summary>
    [Alias("Rebalance")]
    Task Rebalance();
}

/// <summary>A session at rest that could be moved.</summary>
/// <param name="Tenant">Whose conversation.</param>
/// <param name="Conversation">Which.</param>
/// <param name="Bytes">About how much KV cache it has.</param>
/// <param name="Idle">How long ago it was used.</param>
[GenerateSerializer, Immutable, Alias("herd.RestingSession")]
public sealed record RestingSession(
    [property: Id(0)] string Tenant, [property: Id(1)] string Conversation, [property: Id(2)] long Bytes, [property: Id(3)] TimeSpan Idle);
