using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes.Link;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>The services of every process of the cluster.</summary>
internal static class ClusterServices
{
    public static IServiceCollection AddCluster(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        return services
            .AddValidated<ClusterOptions, ClusterOptionsValidator>(ClusterOptions.Section)
            .AddSingleton(provider => new ClusterKey(provider.Cluster().KeyFile))
            .AddSingleton<ClusterIdentity>()
            .AddSingleton<Eviction>()
            .AddSingleton<IFatalErrorHandler>(provider => provider.GetRequiredService<Eviction>())
            .AddSingleton<ILinkTransport, LinkChannels>()
            .AddSingleton<NodeLinks>();
    }

    /// <summary>The options of the process's part in the cluster.</summary>
    public static ClusterOptions Cluster(this IServiceProvider services) =>
        services.GetRequiredService<IOptions<ClusterOptions>>().Value;
}
