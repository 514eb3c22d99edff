using Herd.Gateway.Tenants;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using OpenTelemetry.Metrics;

namespace Herd.Gateway.Telemetry;

/// <summary>GET /metrics, in the format of Prometheus.</summary>
internal static class MetricsEndpoint
{
    private const string Path = "/metrics";

    public static void AddGatewayMetrics(this IServiceCollection services)
    {
        services.AddSingleton(provider => new GatewayMetrics(
            provider.GetRequiredService<NodeRegistry>(),
            () => provider.GetRequiredService<PoolAdvisor>().Latest,
            () => provider.GetRequiredService<PoisonRegister>().Verdicts));
        services.AddHostedService<UsageMetrics>();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(GatewayMetrics.Name, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
    }

    /// <summary>
    /// Prometheus reads over HTTP/1, so at the public port, with a reader's or an operator's key.
    /// </summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint(Path)
        .WithMetadata(new Audited()).RequireAuthorization(AccessPolicies.Reader);
}
