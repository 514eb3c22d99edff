using System.Diagnostics.CodeAnalysis;
using Herd.Grains.Nodes;
using Orleans.GrainDirectory;
using Orleans.Metadata;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Placement;

namespace Herd.Grains.Placement;

/// <summary>
/// Where grains of nodes are placed, and their directory, also while no node is a member. Their attributes say it too, but those
/// come from the nodes: a gateway that asked when it knew of none would keep Orleans' defaults for as long as it lives.
/// </summary>
internal sealed class NodeGrains(GrainTypeResolver types) : IPlacementStrategyResolver, IGrainDirectoryResolver
{
    private readonly NodePlacement _placement = new();
    private readonly NodeGrainDirectory _directory = new();
    private readonly HashSet<GrainType> _types = [types.GetGrainType(typeof(NodeGrain)), types.GetGrainType(typeof(SessionGrain))];

    public bool TryResolvePlacementStrategy(GrainType grainType, GrainProperties? properties, [MaybeNullWhen(false)] out PlacementStrategy result)
    {
        result = _types.Contains(grainType) ? _placement : null;
        return result is not null;
    }

    public bool TryResolveGrainDirectory(GrainType grainType, GrainProperties? properties, [NotNullWhen(true)] out IGrainDirectory? grainDirectory)
    {
        grainDirectory = _types.Contains(grainType) ? _directory : null;
        return grainDirectory is not null;
    }
}
