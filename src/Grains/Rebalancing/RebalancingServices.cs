using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Rebalancing;

internal static class RebalancingServices
{
    public static IServiceCollection AddRebalancing(this IServiceCollection services) => services
        .AddValidated<RebalanceOptions, RebalanceOptionsValidator>(RebalanceOptions.Section)
        .AddHostedService<RebalanceTimer>();
}
