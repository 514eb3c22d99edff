using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Herd.Grains.Telemetry;

/// <summary>
/// Sends traces where OpenTelemetry's own variables say (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL,
/// OTEL_TRACES_SAMPLER); with logs as JSON there are always traces, so that the log lines of a turn share an id.
/// </summary>
internal static class HerdTracing
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

    private static readonly PathString[] Untraced =
        ["/health", "/metrics", "/grpc.health.v1.Health", "/herd.link.v1.NodeLinkService"];

    public static void AddHerdTracing(this IHostApplicationBuilder builder, string service)
    {
        var cluster = ClusterOptions.Read(builder.Configuration);
        var exports = !string.IsNullOrEmpty(builder.Configuration[Endpoint])
            || !string.IsNullOrEmpty(builder.Configuration[TracesEndpoint]);
        if (!exports && cluster.LogFormat != LogFormat.Json)
        {
            return;
        }

        builder.Services.AddOpenTelemetry().WithTracing(tracing =>
        {
            tracing
                .ConfigureResource(resource => resource.AddService(
                    service, serviceInstanceId: cluster.Name, autoGenerateServiceInstanceId: false))
                .AddSource(Spans.SourceName)
                .AddAspNetCoreInstrumentation(requests => requests.Filter = IsTraced);
            if (exports)
            {
                tracing.AddOtlpExporter();
            }
        });
    }

    /// <summary>False for probes, scrapes and streams between processes.</summary>
    private static bool IsTraced(HttpContext context) =>
        !Untraced.Any(path => context.Request.Path.StartsWithSegments(path));
}
