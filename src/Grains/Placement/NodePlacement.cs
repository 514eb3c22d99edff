using Herd.Contracts;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Herd.Grains.Placement;

/// <summary>
/// Places a grain on the node that its key begins with. If that node has left, the call fails at once. The conversation
/// then calls the grain of another node, which has another key.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NodePlacementAttribute() : PlacementAttribute(new NodePlacement());

[Serializable, GenerateSerializer]
internal sealed class NodePlacement : PlacementStrategy;

internal sealed class NodePlacementDirector(IClusterMembershipService membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var node = GrainKey.Split(target.GrainIdentity.Key.ToString()!)[0];
        var members = membership.CurrentSnapshot.Members;

        // A node that was killed and started again is in the list twice for a while.
        var silo = context.GetCompatibleSilos(target)
            .Where(silo => members.TryGetValue(silo, out var member) && member.Name == node)
            .MaxBy(silo => silo.Generation);
        return silo is null
            ? throw new SiloUnavailableException($"The node '{node}' is not in the cluster.")
            : Task.FromResult(silo);
    }
}
