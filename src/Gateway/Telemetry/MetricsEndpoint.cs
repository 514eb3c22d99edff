using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using OpenTelemetry.Metrics;

namespace Herd.Gateway.Telemetry;

/// <summary>GET /metrics, as Prometheus reads it.</summary>
internal static class MetricsEndpoint
{
    public const string Path = "/metrics";

    public static void AddGatewayMetrics(this IServiceCollection services)
    {
        services.AddSingleton(provider => new GatewayMetrics(provider.GetRequiredService<ClusterView>(), () => provider.GetRequiredService<PoolAdvisor>().Latest));
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(GatewayMetrics.Name, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
    }

    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint(Path);
}
