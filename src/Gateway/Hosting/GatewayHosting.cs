using System.Net;
using Herd.Gateway.Conversations;
using Herd.Gateway.Grpc;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Tenants;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>Puts a gateway together.</summary>
internal static class GatewayHosting
{
    public static void AddGateway(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<GatewayOptions>().BindConfiguration(GatewayOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<GatewayOptions>, GatewayOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<TenantDirectory>();
        services.AddSingleton<ConversationClient>();
        services.AddSingleton<SessionIdentity>();
        services.AddSingleton<StatelessChat>();

        services.AddHealthChecks()
            .AddCheck<NodesHealth>("nodes", tags: ["ready"])
            .AddCheck<StoreHealth>("store", tags: ["ready"]);
        services.AddGrpc(grpc => grpc.Interceptors.Add<ErrorInterceptor>());
        services.AddOptions<global::Grpc.AspNetCore.Server.GrpcServiceOptions>().Configure<IOptions<GatewayOptions>>(
            (grpc, gateway) => grpc.MaxReceiveMessageSize = gateway.Value.MaxBodyBytes);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<GatewayOptions>>(Listen);
    }

    public static void UseGateway(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value;
        if (options.Tenants.Count == 0 && !IPAddress.IsLoopback(IPAddress.Parse(options.Bind)))
        {
            GatewayLog.OpenToAll(app.Logger, options.Bind);
        }

        app.UseMiddleware<OpenAiErrors>();
        app.UseMiddleware<Authentication>();
        app.UseMiddleware<BodyLimit>();
        app.MapGrpcService<ConversationService>();
        app.MapGrpcService<ClusterService>();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
        app.MapOpenAi();
    }

    private static void Listen(KestrelServerOptions kestrel, IOptions<GatewayOptions> options)
    {
        var address = IPAddress.Parse(options.Value.Bind);
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.Value.MaxBodyBytes;
        kestrel.Listen(address, options.Value.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.Listen(address, options.Value.GrpcPort, listen => listen.Protocols = HttpProtocols.Http2);
    }
}

internal static partial class GatewayLog
{
    [LoggerMessage(EventId = 800, Level = LogLevel.Warning, Message = "Whoever reaches {Address} can read and write every conversation: no keys are set (Gateway:Tenants)")]
    public static partial void OpenToAll(ILogger logger, string address);
}
