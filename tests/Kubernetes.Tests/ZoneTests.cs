using System.Diagnostics;
using Herd.Kubernetes.Tests.Pods;
using Herd.V1;

namespace Herd.Kubernetes.Tests;

/// <summary>
/// Two zones with a gateway and a node each, the store in the first. The network between them is cut.
/// </summary>
public sealed class ZoneTests
{
    /// <summary>
    /// Users of the first zone continue there. When the network is back, the other zone's processes join again without
    /// a restart.
    /// </summary>
    [Fact]
    public async Task Partition_BetweenZones_FailsNobodyAndHealsByItself()
    {
        await using var zone = await SecondZone.Make();
        await using var cluster = await PodCluster.Start(zone: zone);
        cluster[PodCluster.Gateway].Replicas = 2;
        await cluster.WaitUntilReady();
        var pods = cluster[PodCluster.Gateway].Ready.Concat(cluster[PodCluster.Node].Ready).ToList();
        var cutOff = pods.Where(PodCluster.InSecondZone).ToList();
        Assert.Equal(2, cutOff.Count);
        using var load = await SceneLoad.Start(cluster, seed: 10);

        await zone.Cut();
        var cut = Stopwatch.StartNew();
        await cluster.Until(() => cutOff.All(pod => !pod.IsReady));
        await UntilDeclaredDead(cluster);
        cut.Stop();
        await zone.Join();
        await cluster.Until(() => pods.All(pod => pod.IsReady));
        await cluster.WaitUntilReady();

        var outcome = await load.End();

        // The other zone's gateway served nobody meanwhile. Its users waited or went to the other gateway.
        Assert.True(
            outcome.Reconnected > 0 || outcome.LongestGap > cut.Elapsed / 2, $"{outcome}, cut for {cut.Elapsed}");
        Assert.All(pods, pod => Assert.Equal((0, false), (pod.Restarts, pod.IsTerminating)));
    }

    /// <summary>Waits until the membership has declared the unreachable processes dead. They must join anew.</summary>
    private static async Task UntilDeclaredDead(PodCluster cluster)
    {
        while ((await cluster.GatewayAt(0).Cluster.ListNodesAsync(
            new ListNodesRequest(), cancellationToken: TestContext.Current.CancellationToken)).Nodes.Count > 1)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
