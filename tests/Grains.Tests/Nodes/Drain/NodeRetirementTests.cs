using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Drain;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Nodes.Drain;

public sealed class NodeRetirementTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _emptied = new();
    private readonly SimulatedHost _node = new();
    private readonly NodeRetirement _retirement;
    private CancellationToken _emptying;

    public NodeRetirementTests()
    {
        _retirement = new NodeRetirement(
            _node.Host,
            cancellation =>
            {
                _emptying = cancellation;
                return _emptied.Task;
            },
            _time);
    }

    public async ValueTask InitializeAsync() => await _node.Start();

    [Fact]
    public void Renew_AgainAndAgain_StaysNotReadyAndTellsWhenItIsEmpty()
    {
        Assert.False(_retirement.Renew());
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(20));
            Assert.False(_retirement.Renew());
        }

        _emptied.SetResult();

        Assert.True(_retirement.Renew());
        Assert.Equal(NodeState.Draining, _node.Host.Report().State);
    }

    [Fact]
    public void Renew_NoMore_ServesAgain()
    {
        _retirement.Renew();
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(NodeState.Ready, _node.Host.Report().State);
        Assert.True(_emptying.IsCancellationRequested);
        Assert.False(_retirement.Renew());
        Assert.Equal(NodeState.Draining, _node.Host.Report().State);
    }

    [Fact]
    public void Renew_NodeDrainsAlready_IsRefused()
    {
        _node.Host.BeginDrain();

        Assert.Equal(HerdError.Unavailable, Assert.Throws<HerdException>(() => _retirement.Renew()).Error);
    }

    public async ValueTask DisposeAsync()
    {
        _retirement.Dispose();
        await _node.DisposeAsync();
    }
}
