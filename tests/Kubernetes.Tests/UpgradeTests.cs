using Herd.Kubernetes.Tests.Pods;

namespace Herd.Kubernetes.Tests;

/// <summary>
/// The processes of two versions side by side. Each reads the messages and the stored state of the other, so a broken
/// contract shows here.
/// </summary>
public sealed class UpgradeTests
{
    [Fact]
    public async Task RollOut_FromTheCommitBeforeAndBack_NobodyNotices()
    {
        var previous = await PreviousVersion.Build();
        await using var cluster = await PodCluster.Start(previous: previous);
        using var load = await SceneLoad.Start(cluster, seed: 7);
        foreach (var toPrevious in new[] { false, true })
        {
            await cluster.Change(PodCluster.Node, toPrevious);
            await cluster.Change(PodCluster.Gateway, toPrevious);
        }

        var outcome = await load.End();

        Assert.True(outcome.Warm >= 0.95, $"{outcome}");
        Assert.NotEqual(0, outcome.Moved);
        Assert.Equal(0, outcome.Killed);
    }
}
