using System.Net;
using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Storage.Encryption;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Identity;
using Herd.Grains.Routing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Herd.Gateway.Doctor;

/// <summary>Collects the facts about this gateway, the store and every node.</summary>
internal sealed class Examination(
    NodeRegistry registry,
    IGrainFactory grains,
    StoreConnection store,
    PoisonRegister poison,
    IRetentionIndex retention,
    StorageKeys keys,
    PublicCertificate certificate,
    IOptions<GatewayOptions> gateway,
    IOptions<ClusterOptions> cluster,
    TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public async Task<ClusterFacts> Run() => new()
    {
        Gateway = new GatewayFacts(
            cluster.Value.Name,
            BuildInfo.Version,
            time.GetUtcNow(),
            FilePermissions.IsReadableByOthers(cluster.Value.KeyFile),
            gateway.Value.HasKeys,
            IPAddress.IsLoopback(IPAddress.Parse(gateway.Value.Bind)),
            certificate.Current?.NotAfter),
        Store = await ExamineStore(),
        Nodes = await Task.WhenAll(registry.Nodes.Select(Examine)),
        Suspects = await poison.List(),
    };

    private async Task<StoreFacts> ExamineStore()
    {
        var hasPassword = cluster.Value.StorePasswordFile.Length > 0;
        try
        {
            var wait = await store.Database.PingAsync().WaitAsync(Timeout, time);
            return new StoreFacts(
                null,
                wait,
                hasPassword,
                await store.Describe().WaitAsync(Timeout, time),
                await ErasureState.Read(store.Database).WaitAsync(Timeout, time),
                gateway.Value.Retention is { } kept
                    ? await retention.CountUnused(time.GetUtcNow() - kept - Day).WaitAsync(Timeout, time)
                    : 0,
                [.. keys.Names],
                await EncryptionState.Read(store.Database).WaitAsync(Timeout, time));
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return new StoreFacts(e.GetType().Name, TimeSpan.Zero, hasPassword, new Dictionary<string, string>());
        }
    }

    private async Task<ExaminedNode> Examine(NodeReport report)
    {
        if (report.State is not (NodeState.Ready or NodeState.Draining))
        {
            return new ExaminedNode(report, null, TimeSpan.Zero);
        }

        try
        {
            var asked = time.GetUtcNow();
            var facts = await grains.GetReachableGrain<INodeGrain>(report.Node).Inspect().WaitAsync(Timeout, time);
            var answered = time.GetUtcNow();
            return new ExaminedNode(report, facts, facts.Time - (asked + ((answered - asked) / 2)));
        }
        catch (Exception)
        {
            return new ExaminedNode(report, null, TimeSpan.Zero);
        }
    }
}
