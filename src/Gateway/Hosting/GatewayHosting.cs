using System.Net;
using Herd.Gateway.Anthropic;
using Herd.Gateway.Conversations;
using Herd.Gateway.Doctor;
using Herd.Gateway.Errors;
using Herd.Gateway.Grpc;
using Herd.Gateway.Llama;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Scaling;
using Herd.Gateway.Telemetry;
using Herd.Gateway.Tenants;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>Puts a gateway together.</summary>
internal static class GatewayHosting
{
    /// <summary>A client whose connection is silent for so long is asked whether it is there; one that does not answer frees what it has.</summary>
    private static readonly TimeSpan KeepAliveDelay = TimeSpan.FromSeconds(30);

    public static void AddGateway(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GatewayOptions>, GatewayOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<JwtTokens>();
        services.AddSingleton<TenantDirectory>();
        services.AddSingleton<Quotas>();
        services.AddSingleton<Admission>();
        services.AddSingleton<PublicCertificate>();
        services.AddSingleton<ConversationClient>();
        services.AddSingleton<SessionIdentity>();
        services.AddSingleton<StatelessChat>();
        services.AddSingleton<ModelTokens>();
        services.AddSingleton<GrpcChat>();
        services.AddSingleton<Examination>();

        services.AddHealthChecks()
            .AddCheck<LeavingHealth>("leaving", tags: ["ready"])
            .AddCheck<NodesHealth>("nodes", tags: ["ready"])
            .AddCheck<StoreHealth>("store", tags: ["ready"]);
        services.AddGrpc(grpc => grpc.Interceptors.Add<ErrorInterceptor>())
            .AddJsonTranscoding(json => json.TypeRegistry = Google.Protobuf.Reflection.TypeRegistry.FromFiles(Google.Rpc.ErrorDetailsReflection.Descriptor));
        services.AddOptions<global::Grpc.AspNetCore.Server.GrpcServiceOptions>().Configure<IOptions<GatewayOptions>>(
            (grpc, gateway) => grpc.MaxReceiveMessageSize = gateway.Value.MaxBodyBytes);
        services.AddApiDocument();
        services.AddGatewayMetrics();
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<GatewayOptions>, PublicCertificate>(Listen);
    }

    public static void UseGateway(this WebApplication app)
    {
        app.UseMiddleware<ErrorResponses>();
        app.UseMiddleware<Authentication>();
        app.UseMiddleware<BodyLimit>();
        app.MapGrpcService<ConversationService>();
        app.MapGrpcService<ClusterService>();
        app.MapGrpcService<ExternalScalerService>();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapOpenAi();
        app.MapAnthropic();
        app.MapOllama();
        app.MapLlama();
        app.MapApiDocument();
        app.MapMetrics();
    }

    private static void Listen(KestrelServerOptions kestrel, IOptions<GatewayOptions> options, PublicCertificate certificate)
    {
        var gateway = options.Value;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = gateway.MaxBodyBytes;
        kestrel.Limits.Http2.KeepAlivePingDelay = KeepAliveDelay;
        var isPrivate = certificate.Current is not null;
        Listen(gateway.Bind, gateway.HttpPort, isPrivate ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1, isPrivate);
        Listen(gateway.Bind, gateway.GrpcPort, HttpProtocols.Http2, isPrivate);
        if (gateway.AdminPort > 0)
        {
            Listen(gateway.AdminBind, gateway.AdminPort, HttpProtocols.Http2, isPrivate);
        }

        if (gateway.ScalerPort > 0)
        {
            Listen(gateway.Bind, gateway.ScalerPort, HttpProtocols.Http2, withTls: false);
        }

        void Listen(string address, int port, HttpProtocols protocols, bool withTls) => kestrel.Listen(IPAddress.Parse(address), port, listen =>
        {
            listen.Protocols = protocols;
            if (withTls)
            {
                listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificateSelector = (_, _) => certificate.Current });
            }
        });
    }
}
