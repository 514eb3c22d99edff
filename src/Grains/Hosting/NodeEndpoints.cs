using System.Net;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Nodes.Link;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Herd.Grains.Hosting;

/// <summary>The ports of a node other than Orleans' own.</summary>
public static class NodeEndpoints
{
    /// <summary>Maps a node's link, for reports and KV caches, and its health at ports of their own.</summary>
    public static void UseHerdNode(this WebApplication app)
    {
        var cluster = app.Services.Cluster();
        app.Use(async (context, next) =>
        {
            var (port, path) = (context.Connection.LocalPort, context.Request.Path);
            var served = port == cluster.HealthPort ? "/health"
                : port == cluster.HealthGrpcPort ? "/grpc.health.v1.Health"
                : "/herd.link.v1.NodeLinkService";
            if (path.StartsWithSegments(served, StringComparison.Ordinal))
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

    /// <summary>Listens at the ports of a node's link and its health.</summary>
    public static void ListenForLinks(this KestrelServerOptions kestrel)
    {
        var cluster = kestrel.ApplicationServices.Cluster();
        if (cluster.HealthPort > 0)
        {
            kestrel.Listen(
                IPAddress.Parse(cluster.Address), cluster.HealthPort, listen => listen.Protocols = HttpProtocols.Http1);
        }

        if (cluster.HealthGrpcPort > 0)
        {
            kestrel.Listen(
                IPAddress.Parse(cluster.Address), cluster.HealthGrpcPort,
                listen => listen.Protocols = HttpProtocols.Http2);
        }

        var identity = kestrel.ApplicationServices.GetRequiredService<ClusterIdentity>();
        kestrel.Listen(IPAddress.Parse(cluster.Address), cluster.LinkPort, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(identity.ForServers());
        });
    }
}
