using OpenTelemetry.Metrics;

namespace Herd.Gateway.Telemetry;

/// <summary>GET /metrics, as Prometheus reads it.</summary>
internal static class MetricsEndpoint
{
    public const string Path = "/metrics";

    public static void AddGatewayMetrics(this IServiceCollection services)
    {
        services.AddSingleton<GatewayMetrics>();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(GatewayMetrics.Name, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
    }

    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint(Path);
}
