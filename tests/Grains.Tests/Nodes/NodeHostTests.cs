using Herd.Contracts.Nodes;

namespace Herd.Grains.Tests.Nodes;

public sealed class NodeHostTests
{
    /// <summary>First turns are many; they come when the node has answered some of its own.</summary>
    [Fact]
    public async Task Report_ModelIsLoadedAndNotWarm_IsLoading()
    {
        var (begun, warm) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var node = new SimulatedHost(() =>
        {
            begun.SetResult();
            return warm.Task;
        });
        var starting = node.Start();
        await begun.Task.WaitAsync(TestContext.Current.CancellationToken);

        Assert.NotNull(node.Host.Loaded);
        Assert.Equal(NodeState.Loading, node.Host.Report().State);

        warm.SetResult();
        await starting;

        Assert.Equal(NodeState.Ready, node.Host.Report().State);
    }
}
