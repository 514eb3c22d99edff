using System.Net;
using Grpc.AspNetCore.Server;
using Herd.Gateway.Anthropic;
using Herd.Gateway.Conversations;
using Herd.Gateway.Doctor;
using Herd.Gateway.Errors;
using Herd.Gateway.Grpc;
using Herd.Gateway.Llama;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Requests;
using Herd.Gateway.Scaling;
using Herd.Gateway.Telemetry;
using Herd.Gateway.Tenants;
using Herd.Grains.Hosting.Configuration;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>The services, endpoints and ports of a gateway.</summary>
internal static class GatewayHosting
{
    /// <summary>
    /// The silence after which an HTTP/2 client is pinged. The connection of one that does not respond is closed, which
    /// ends its turns.
    /// </summary>
    private static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(30);

    public static void AddGateway(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<GatewayOptions, GatewayOptionsValidator>(GatewayOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<JwtTokens>();
        services.AddSingleton<Audit>();
        services.AddSingleton<TenantDirectory>();
        services.AddSingleton<Quotas>();
        services.AddSingleton<StoredBytes>();
        services.AddAccessPolicies();
        services.AddSingleton<Admission>();
        services.AddSingleton<PublicCertificate>();
        services.AddSingleton<ConversationClient>();
        services.AddSingleton<SessionIdentity>();
        services.AddSingleton<StatelessChat>();
        services.AddSingleton<StatelessReplies>();
        services.AddSingleton<ModelTokens>();
        services.AddSingleton<EmbeddingClient>();
        services.AddSingleton<UsageListing>();
        services.AddSingleton<GrpcChat>();
        services.AddSingleton<Examination>();
        services.AddSingleton<ModelLoads>();
        services.AddSingleton<StoreCopies>();
        services.AddHostedService<RetentionSweep>();

        services.AddHealthChecks()
            .AddCheck<DrainHealth>("drain", tags: ["ready"])
            .AddCheck<NodesHealth>("nodes", tags: ["ready"])
            .AddCheck<StoreHealth>("store", tags: ["ready"]);
        services.AddGrpc(grpc => grpc.Interceptors.Add<ErrorInterceptor>())
            .AddJsonTranscoding(json => json.TypeRegistry = ErrorInterceptor.Types);
        services.AddOptions<GrpcServiceOptions>().Configure<IOptions<GatewayOptions>>(
            (grpc, gateway) => grpc.MaxReceiveMessageSize = gateway.Value.MaxBodyBytes);
        services.AddApiDocument();
        services.AddGatewayMetrics();
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<GatewayOptions>, PublicCertificate>(Listen);
    }

    /// <summary>The steps that every request goes through.</summary>
    public static void UseGateway(this IApplicationBuilder app)
    {
        app.UseMiddleware<ErrorResponses>();
        app.UseMiddleware<AuditTrail>();
        app.UseMiddleware<PortRules>();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<RequestLimit>();
        app.UseMiddleware<BodyLimit>();
        app.UseMiddleware<TranscodedBody>();
    }

    /// <summary>
    /// The endpoints. One without a policy needs a tenant's key and is at the public ports
    /// (<see cref="AccessPolicies"/>).
    /// </summary>
    public static void MapGateway(this IEndpointRouteBuilder app)
    {
        app.MapGrpcService<ConversationService>();
        app.MapGrpcService<ClusterService>().At(Ports.Operators).ForOperators();
        app.MapGrpcService<ExternalScalerService>().At(Ports.Scaler).AllowAnonymous();
        app.MapGrpcReflectionService().At(Ports.Public | Ports.Operators).RequireAuthorization(AccessPolicies.AnyKey);
        app.MapGrpcHealthChecksService().At(Ports.Public | Ports.Operators).AllowAnonymous();
        app.MapHealth("/health/live", _ => false);
        app.MapHealth("/health/ready", check => check.Tags.Contains("ready"));
        app.MapOpenAi();
        app.MapAnthropic();
        app.MapOllama();
        app.MapLlama();
        app.MapApiDocument();
        app.MapMetrics();
    }

    private static void MapHealth(
        this IEndpointRouteBuilder app, string path, Func<HealthCheckRegistration, bool> predicate) => app
            .MapHealthChecks(path, new HealthCheckOptions { Predicate = predicate })
            .At(Ports.Public | Ports.Operators)
            .AllowAnonymous();

    private static void Listen(
        KestrelServerOptions kestrel, IOptions<GatewayOptions> options, PublicCertificate certificate)
    {
        var gateway = options.Value;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = gateway.MaxBodyBytes;
        kestrel.Limits.Http2.KeepAlivePingDelay = KeepAliveDelay;
        var hasTls = certificate.Current is not null;
        Listen(gateway.Bind, gateway.HttpPort, hasTls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1, hasTls);
        Listen(gateway.Bind, gateway.GrpcPort, HttpProtocols.Http2, hasTls);
        if (gateway.AdminPort > 0)
        {
            Listen(gateway.AdminBind, gateway.AdminPort, HttpProtocols.Http2, hasTls);
        }

        if (gateway.ScalerPort > 0)
        {
            Listen(gateway.Bind, gateway.ScalerPort, HttpProtocols.Http2, withTls: false);
        }

        void Listen(string address, int port, HttpProtocols protocols, bool withTls) =>
            kestrel.Listen(IPAddress.Parse(address), port, listen =>
            {
                listen.Protocols = protocols;
                if (withTls)
                {
                    listen.UseHttps(new HttpsConnectionAdapterOptions
                    {
                        ServerCertificateSelector = (_, _) => certificate.Current,
                    });
                }
            });
    }
}
