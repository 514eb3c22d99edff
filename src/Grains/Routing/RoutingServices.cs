using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Routing;

internal static class RoutingServices
{
    public static IServiceCollection AddTurnRouting(this IServiceCollection services) => services
        .AddValidated<RoutingOptions, RoutingOptionsValidator>(RoutingOptions.Section)
        .AddSingleton<NodeRegistry>()
        .AddSingleton<Router>()
        .AddHostedService<NodeWatcher>();
}
