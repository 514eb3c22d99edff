using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Herd.Grains.Hosting;

/// <summary>The connection to the store.</summary>
internal static class StoreServices
{
    /// <summary>Milliseconds after which a command fails.</summary>
    private const int CommandTimeout = 2000;

    /// <summary>Seconds between two checks which of several stores takes writes.</summary>
    private const int RoleCheck = 1;

    /// <summary>Milliseconds between two attempts to connect. With the default they grow to 10 s.</summary>
    private const int ReconnectAfter = 250;

    public static IServiceCollection AddStore(this IServiceCollection services) => services
        .AddHosted(provider => new StoreConnection(Options(provider.Cluster()), provider.Cluster().StoreReplicas));

    /// <summary>The options of connections to the configured store.</summary>
    /// <exception cref="IOException">A file that they name cannot be read.</exception>
    public static ConfigurationOptions Options(ClusterOptions cluster)
    {
        var options = StoreAddress.Parse(cluster.Store);
        options.AbortOnConnectFail = false;
        if (cluster.StoreUser.Length > 0)
        {
            options.User = cluster.StoreUser;
        }

        if (cluster.StorePasswordFile.Length > 0)
        {
            options.Password = File.ReadAllText(cluster.StorePasswordFile).Trim();
        }

        if (cluster.StoreCertificateFile.Length > 0)
        {
            options.TrustIssuer(cluster.StoreCertificateFile);
        }

        // Needed for INFO, the only administrative command that is used.
        options.AllowAdmin = true;

        // A write fails at once while the store is away, and its conversation continues in memory.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.AsyncTimeout = CommandTimeout;
        options.ReconnectRetryPolicy = new LinearRetry(ReconnectAfter);
        if (options.EndPoints.Count > 1)
        {
            options.ConfigCheckSeconds = RoleCheck;
        }

        return options;
    }
}
