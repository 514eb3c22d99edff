using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Scaling;

internal static class ScalingServices
{
    public static IServiceCollection AddScaling(this IServiceCollection services) => services
        .AddValidated<ScalingOptions, ScalingOptionsValidator>(ScalingOptions.Section)
        .AddSingleton<Pools>()
        .AddHosted<PoolAdvisor>();
}
