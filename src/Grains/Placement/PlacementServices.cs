using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Placement;

namespace Herd.Grains.Placement;

internal static class PlacementServices
{
    /// <summary>Places grains of nodes by the node's name in their key.</summary>
    public static IServiceCollection AddNodePlacement(this IServiceCollection services)
    {
        services.AddPlacementDirector<NodePlacement, NodePlacementDirector>();
        return services
            .AddSingleton<NodeGrains>()
            .AddSingleton<IPlacementStrategyResolver>(provider => provider.GetRequiredService<NodeGrains>())
            .AddSingleton<IGrainDirectoryResolver>(provider => provider.GetRequiredService<NodeGrains>());
    }
}
