using Herd.Grains.Accounting;
using Herd.Grains.Conversations;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Sessions;
using Herd.Grains.Placement;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Grains.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>
/// Makes a process a part of the cluster: a gateway or a node. Services start in the order in which they are added.
/// </summary>
public static class HerdSilo
{
    /// <summary>Adds the services of a gateway: conversations and routing.</summary>
    public static IHostApplicationBuilder AddHerdGateway(this IHostApplicationBuilder builder)
    {
        builder.AddHerdTracing("herd-gateway");

        // The store comes before the silo, so that it is connected when the first conversation is loaded.
        builder.Services.AddStore();
        builder.AddSilo(typeof(NodeGrain), typeof(SessionGrain));
        builder.Services
            .AddScaling()
            .AddAccounting()
            .AddConversations()
            .AddTurnRouting()
            .AddRebalancing()
            .AddOptions<HostOptions>().Configure(host => host.ShutdownTimeout = GracePeriod.StopTime);
        return builder;
    }

    /// <summary>
    /// Adds the services of a node: the model and its sessions. The caller adds the
    /// <see cref="Inference.Runtime.ILlamaRuntime"/>.
    /// </summary>
    public static IHostApplicationBuilder AddHerdNode(this IHostApplicationBuilder builder)
    {
        builder.AddHerdTracing("herd-node");

        // The model comes before the silo, so that it loads while the silo joins, and is there until the silo has left.
        builder.Services.AddModelHost();
        builder.AddSilo(typeof(ConversationGrain), typeof(RebalancerGrain), typeof(ScalerGrain));
        builder.Services
            .AddStore()
            .AddSessions()
            .AddOptions<HostOptions>().Configure<IOptions<ClusterOptions>, IOptions<NodeOptions>>(
                (host, cluster, node) =>
                    host.ShutdownTimeout = GracePeriod.DrainTimeout(cluster.Value, node.Value) + GracePeriod.StopTime);
        builder.Services.AddGrpc();
        builder.Services.AddGrpcHealthChecks().AddCheck<NodeHealth>("node");
        return builder;
    }

    private static void AddSilo(this IHostApplicationBuilder builder, params Type[] elsewhere)
    {
        builder.AddRenamedOptions();
        builder.Services.AddCluster();
        var cluster = ClusterOptions.Read(builder.Configuration);
        builder.UseOrleans(silo => silo.UseHerd(cluster, elsewhere));
        builder.Services.AddHosted<Departure>();
        builder.Services.AddNodePlacement();
    }
}
