using System.Diagnostics.CodeAnalysis;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Sessions;
using Orleans.GrainDirectory;
using Orleans.Metadata;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Placement;

namespace Herd.Grains.Placement;

/// <summary>
/// The placement and the directory of the grains of nodes. Their attributes name both too, but reach a gateway only
/// with the first node: a gateway that looked them up before would keep Orleans' defaults until it stops.
/// </summary>
internal sealed class NodeGrains(GrainTypeResolver types) : IPlacementStrategyResolver, IGrainDirectoryResolver
{
    private readonly NodePlacement _placement = new();
    private readonly NodeGrainDirectory _directory = new();
    private readonly HashSet<GrainType> _types =
        [types.GetGrainType(typeof(NodeGrain)), types.GetGrainType(typeof(SessionGrain))];

    public bool TryResolvePlacementStrategy(
        GrainType grainType, GrainProperties? properties, [MaybeNullWhen(false)] out PlacementStrategy result)
    {
        result = _types.Contains(grainType) ? _placement : null;
        return result is not null;
    }

    public bool TryResolveGrainDirectory(
        GrainType grainType, GrainProperties? properties, [NotNullWhen(true)] out IGrainDirectory? grainDirectory)
    {
        grainDirectory = _types.Contains(grainType) ? _directory : null;
        return grainDirectory is not null;
    }
}
