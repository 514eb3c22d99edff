using System.Net;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Nodes.Link;
using Herd.Grains.Placement;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Grains.Telemetry;
using Herd.Inference.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Hosting;
using Orleans.Runtime.Placement;
using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>Makes a process a part of the cluster: a gateway or a node.</summary>
public static class HerdSilo
{
    /// <summary>Milliseconds.</summary>
    private const int StoreTimeout = 2000;

    /// <summary>Seconds between two looks at which of several stores takes writes.</summary>
    private const int StoreRoleCheck = 1;

    /// <summary>Milliseconds; with the default a store that is back is not found for up to 10 s.</summary>
    private const int StoreReconnectAfter = 250;

    /// <summary>A gateway: conversations and routing.</summary>
    public static IHostApplicationBuilder AddHerdGateway(this IHostApplicationBuilder builder)
    {
        builder.AddHerdTracing("herd-gateway");

        // Before the silo, so that no conversation is asked for until its store can be.
        builder.Services.AddSingleton(services => new StoreConnection(Redis(services.Cluster()), services.Cluster().StoreReplicas));
        builder.Services.AddHostedService(services => services.GetRequiredService<StoreConnection>());
        builder.AddSilo(typeof(NodeGrain), typeof(SessionGrain));
        builder.Services.AddOptions<ScalingOptions>().BindConfiguration(ScalingOptions.Section).ValidateOnStart();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<ScalingOptions>, ScalingOptionsValidator>());
        builder.Services.AddSingleton<Pools>();
        builder.Services.AddSingleton<PoolAdvisor>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PoolAdvisor>());
        builder.Services.AddOptions<RoutingOptions>().BindConfiguration(RoutingOptions.Section).ValidateOnStart();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<RoutingOptions>, RoutingOptionsValidator>());
        builder.Services.AddSingleton<NodeRegistry>();
        builder.Services.AddSingleton<Router>();
        builder.Services.AddSingleton<TurnRouter>();
        builder.Services.AddSingleton<LocalEventChannels>();
        builder.Services.AddSingleton<TurnEventReader>();
        builder.Services.AddSingleton<SessionClient>();
        builder.Services.AddSingleton<FailoverMonitor>();
        builder.Services.AddSingleton<TurnAttempt>();
        builder.Services.AddSingleton<TurnExecutor>();
        builder.Services.AddSingleton<SessionMigration>();
        builder.Services.AddSingleton<IConversationStore, RedisConversationStore>();
        builder.Services.AddSingleton<GatewayDrain>();
        builder.Services.AddHostedService(services => services.GetRequiredService<GatewayDrain>());
        builder.Services.AddHostedService<NodeWatcher>();
        builder.Services.AddOptions<RebalanceOptions>().BindConfiguration(RebalanceOptions.Section).ValidateOnStart();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<RebalanceOptions>, RebalanceOptionsValidator>());
        builder.Services.AddHostedService<RebalanceTimer>();
        builder.Services.AddOptions<HostOptions>().Configure(host => host.ShutdownTimeout = GracePeriod.StopTime);
        return builder;
    }

    /// <summary>A node: models and sessions. The caller adds the <see cref="Inference.Runtime.ILlamaRuntime"/>.</summary>
    public static IHostApplicationBuilder AddHerdNode(this IHostApplicationBuilder builder)
    {
        builder.AddHerdTracing("herd-node");

        // Before the silo, so that the model loads while the silo joins, and is there until the silo has left.
        builder.Services.AddSingleton<IEngineRunner, EngineThread>();
        builder.Services.AddSingleton<WarmUp>();
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<NodeHost>(
            services, (Func<LoadedModel, string, CancellationToken, Task>)services.GetRequiredService<WarmUp>().Run));
        builder.Services.AddHostedService(services => services.GetRequiredService<NodeHost>());
        builder.AddSilo(typeof(ConversationGrain), typeof(RebalancerGrain), typeof(ScalerGrain));
        builder.Services.AddSingleton<SessionPull>();
        builder.Services.AddSingleton<NodeInspection>();
        builder.Services.AddSingleton<NodeDrain>();
        builder.Services.AddSingleton(services => new NodeRetirement(
            services.GetRequiredService<NodeHost>(), services.GetRequiredService<NodeDrain>().Empty, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<NodeDrain>());
        builder.Services.AddOptions<HostOptions>().Configure<Microsoft.Extensions.Options.IOptions<ClusterOptions>, Microsoft.Extensions.Options.IOptions<NodeOptions>>(
            (host, cluster, node) => host.ShutdownTimeout = GracePeriod.DrainTimeout(cluster.Value, node.Value) + GracePeriod.StopTime);
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks().AddCheck<NodeHealth>("node");
        builder.Services.AddOptions<NodeOptions>().BindConfiguration(NodeOptions.Section).ValidateOnStart();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<NodeOptions>, NodeOptionsValidator>());
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<NodeOptions>, GracePeriodValidator>());
        return builder;
    }

    /// <summary>A node's link: heartbeats, and KV caches for other nodes. Its health, at a port of its own.</summary>
    public static void UseHerdNode(this WebApplication app)
    {
        var cluster = app.Services.Cluster();
        app.Use(async (context, next) =>
        {
            var (port, path) = (context.Connection.LocalPort, context.Request.Path);
            if (port == cluster.HealthPort ? path.StartsWithSegments("/health", StringComparison.Ordinal)
                : port == cluster.HealthGrpcPort ? path.StartsWithSegments("/grpc.health.v1.Health", StringComparison.Ordinal)
                : path.StartsWithSegments("/herd.link.v1.NodeLinkService", StringComparison.Ordinal))
            {
                await next(context);
                return;
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
        });
        app.MapGrpcService<NodeLinkService>();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        app.MapGrpcHealthChecksService();
    }

    /// <summary>Where a node's link and its health listen.</summary>
    public static void ListenForLinks(this KestrelServerOptions kestrel)
    {
        var cluster = kestrel.ApplicationServices.Cluster();
        if (cluster.HealthPort > 0)
        {
            kestrel.Listen(IPAddress.Parse(cluster.Address), cluster.HealthPort, listen => listen.Protocols = HttpProtocols.Http1);
        }

        if (cluster.HealthGrpcPort > 0)
        {
            kestrel.Listen(IPAddress.Parse(cluster.Address), cluster.HealthGrpcPort, listen => listen.Protocols = HttpProtocols.Http2);
        }

        var identity = kestrel.ApplicationServices.GetRequiredService<ClusterIdentity>();
        kestrel.Listen(IPAddress.Parse(cluster.Address), cluster.LinkPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(identity.ForServers());
        });
    }

    /// <param name="builder">The process.</param>
    /// <param name="elsewhere">Grains that live on the other kind of process; they are never placed here.</param>
    private static void AddSilo(this IHostApplicationBuilder builder, params Type[] elsewhere)
    {
        builder.AddRenamedOptions();
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new ClusterKey(provider.Cluster().KeyFile));
        services.AddSingleton<ClusterIdentity>();
        services.AddSingleton<Eviction>();
        services.AddSingleton<IFatalErrorHandler>(provider => provider.GetRequiredService<Eviction>());
        services.AddSingleton<ILinkTransport, LinkChannels>();
        services.AddSingleton<NodeLinks>();
        services.AddOptions<ClusterOptions>().BindConfiguration(ClusterOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<Microsoft.Extensions.Options.IValidateOptions<ClusterOptions>, ClusterOptionsValidator>());

        var cluster = ClusterOptions.Read(builder.Configuration);
        builder.UseOrleans(silo =>
        {
            silo
                .Configure<Orleans.Configuration.ClusterOptions>(options =>
                {
                    options.ClusterId = "herd";
                    options.ServiceId = "herd";
                })
                .Configure<SiloOptions>(options => options.SiloName = cluster.Name)
                .Configure<EndpointOptions>(options =>
                {
                    options.AdvertisedIPAddress = IPAddress.Parse(cluster.Address);
                    options.SiloPort = cluster.SiloPort;
                    options.GatewayPort = 0;
                })
                .Configure<ClusterMembershipOptions>(options =>
                {
                    options.ProbeTimeout = TimeSpan.FromSeconds(1);
                    options.MaxProbeTimeout = TimeSpan.FromSeconds(2);

                    // One that was declared dead while it was frozen is to find that out soon.
                    options.TableRefreshTimeout = TimeSpan.FromSeconds(3);
                })
                .Configure<SiloMessagingOptions>(options =>
                {
                    options.ResponseTimeout = TimeSpan.FromSeconds(10);
                    options.CancelRequestOnTimeout = true;
                    options.MaxEnqueuedRequestsHardLimit = 1000;
                })
                .Configure<GrainTypeOptions>(options => options.Classes.ExceptWith(elsewhere))

                // After a crash there is no wait for what a lost owner may still do: the store and the epoch fence it off.
                .Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero)
                .UseRedisClustering(options => options.ConfigurationOptions = Redis(cluster))
                .AddGrainDirectory(NodeGrainDirectory.Name, (_, _) => new NodeGrainDirectory());

#pragma warning disable ORLEANSEXP003 // Experimental, and needed: docs/decisions/grain-directory.md
            silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
            silo.UseTls();
        });
        services.AddPlacementDirector<NodePlacement, NodePlacementDirector>();
        services.AddSingleton<NodeGrains>();
        services.AddSingleton<IPlacementStrategyResolver>(provider => provider.GetRequiredService<NodeGrains>());
        services.AddSingleton<IGrainDirectoryResolver>(provider => provider.GetRequiredService<NodeGrains>());
    }

    /// <summary>Connections between processes are encrypted, and both ends show that they know the cluster's key.</summary>
    private static void UseTls(this ISiloBuilder silo) => silo.Services
        .AddOptions<SiloConnectionOptions>()
        .Configure<IServiceProvider>((connections, services) =>
        {
            var identity = services.GetRequiredService<ClusterIdentity>();
            var tls = new TlsOptions
            {
                LocalCertificate = identity.Certificate,
                RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
                ClientCertificateMode = RemoteCertificateMode.RequireCertificate,
                RemoteCertificateValidation = (certificate, _, _) => identity.IsOurs(certificate),
                OnAuthenticateAsClient = (_, options) => options.TargetHost = ClusterIdentity.Name,
            };
            connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(tls));
            connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(tls));
        });

    private static ClusterOptions Cluster(this IServiceProvider services) =>
        services.GetRequiredService<Microsoft.Extensions.Options.IOptions<ClusterOptions>>().Value;

    private static ConfigurationOptions Redis(ClusterOptions cluster)
    {
        var options = ConfigurationOptions.Parse(cluster.Store.Replace("redis://", "", StringComparison.Ordinal));
        options.AbortOnConnectFail = false;

        // INFO is one of an administrator's commands; nothing else of them is used.
        options.AllowAdmin = true;

        // Who writes learns at once that the store is away, and goes on in memory.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.AsyncTimeout = StoreTimeout;
        options.ReconnectRetryPolicy = new LinearRetry(StoreReconnectAfter);
        if (options.EndPoints.Count > 1)
        {
            options.ConfigCheckSeconds = StoreRoleCheck;
        }

        return options;
    }
}
