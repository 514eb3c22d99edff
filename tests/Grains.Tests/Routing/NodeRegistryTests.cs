using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Time.Testing;
using static Herd.Grains.Tests.Routing.Tables;

namespace Herd.Grains.Tests.Routing;

public sealed class NodeRegistryTests
{
    private readonly NodeRegistry _registry = new(Pools.None, new FakeTimeProvider());

    [Fact]
    public void Remove_NodeLeavesTheCluster_IsUnknown()
    {
        _registry.Update(Report("a", NodeState.Ready));
        _registry.Update(Report("b", NodeState.Ready));

        _registry.Remove("a");

        Assert.Equal(["b"], _registry.Nodes.Select(node => node.Node));
        Assert.Throws<HerdException>(() => _registry.ThrowIfUnknown("a"));
    }

    [Fact]
    public void MarkLost_KnownNode_IsLostUntilItReports()
    {
        _registry.Update(Report("a", NodeState.Ready));

        _registry.MarkLost("a");
        Assert.Equal(NodeState.Lost, _registry.Find("a")!.State);
        Assert.Empty(_registry.Models);

        _registry.Update(Report("a", NodeState.Ready));
        Assert.Equal(NodeState.Ready, _registry.Find("a")!.State);
    }

    [Fact]
    public void WhileReady_NodeDrains_IsCancelled()
    {
        _registry.Update(Report("a", NodeState.Ready));
        var ready = _registry.WhileReady("a");
        _registry.Update(Report("a", NodeState.Ready));
        Assert.False(ready.IsCancellationRequested);

        _registry.Update(Report("a", NodeState.Draining));

        Assert.True(ready.IsCancellationRequested);
        Assert.True(_registry.WhileReady("a").IsCancellationRequested);
    }

    [Fact]
    public void Changed_Update_Completes()
    {
        var changed = _registry.Changed;
        Assert.False(changed.IsCompleted);

        _registry.Update(Report("a", NodeState.Ready));

        Assert.True(changed.IsCompleted);
        Assert.False(_registry.Changed.IsCompleted);
    }
}
