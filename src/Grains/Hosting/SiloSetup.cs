using System.Net;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Runtime.Hosting;
using ClusterOptions = Herd.Grains.Hosting.Configuration.ClusterOptions;

namespace Herd.Grains.Hosting;

/// <summary>The settings of Orleans in a process of the cluster.</summary>
internal static class SiloSetup
{
    /// <param name="silo">The silo.</param>
    /// <param name="cluster">The process's name and addresses.</param>
    /// <param name="elsewhere">The grain classes of the other kind of process. They are never placed here.</param>
    public static void UseHerd(this ISiloBuilder silo, ClusterOptions cluster, IEnumerable<Type> elsewhere)
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

                // A process that was declared dead while it was frozen finds that out soon.
                options.TableRefreshTimeout = TimeSpan.FromSeconds(3);
            })
            .Configure<SiloMessagingOptions>(options =>
            {
                options.ResponseTimeout = TimeSpan.FromSeconds(10);
                options.CancelRequestOnTimeout = true;
                options.MaxEnqueuedRequestsHardLimit = 1000;
            })
            .Configure<GrainTypeOptions>(options => options.Classes.ExceptWith(elsewhere))

            // No wait after a crash for a lost owner: the store and the epoch fence it.
            .Configure<GrainDirectoryOptions>(options => options.RangeLeaseDuration = TimeSpan.Zero)
            .UseRedisClustering(options => options.ConfigurationOptions = StoreServices.Options(cluster))
            .AddGrainDirectory(NodeGrainDirectory.Name, (_, _) => new NodeGrainDirectory());

#pragma warning disable ORLEANSEXP003 // Experimental, and needed: docs/decisions/grain-directory.md
        silo.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        silo.UseMembershipRules();
        silo.UseTls();
    }

    private static void UseMembershipRules(this ISiloBuilder silo)
    {
        var redis = silo.Services.Last(service => service.ServiceType == typeof(IMembershipTable));
        silo.Services.AddSingleton<IMembershipTable>(services =>
            ActivatorUtilities.CreateInstance<ClusterMembershipTable>(
                services, redis.ImplementationFactory!(services)));
    }

    /// <summary>Encrypts connections between processes. Both ends prove that they have the cluster's key.</summary>
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
}
