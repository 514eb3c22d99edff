using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Link;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Metadata;
using Orleans.Serialization;
using static Herd.Grains.Tests.Routing.Tables;

namespace Herd.Grains.Tests.Routing;

public sealed class NodeWatcherTests : IDisposable
{
    private static readonly IHost Orleans = WithOrleans();

    private readonly TimerSignals _time = new();
    private readonly RecordedEvents<NodeWatcher> _log = new();
    private readonly FakeMembership _members = new(Orleans.Services.GetRequiredService<GrainInterfaceTypeResolver>());
    private readonly FakeLinks _links = new(Orleans.Services.GetRequiredService<Serializer<NodeReport>>());
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Ends a test of a watcher that misses a change. It would wait for ever.</summary>
    private readonly CancellationTokenSource _hangs =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    private readonly NodeRegistry _registry;
    private readonly NodeWatcher _watcher;

    public NodeWatcherTests()
    {
        _hangs.CancelAfter(TimeSpan.FromMinutes(1));
        _registry = new NodeRegistry(Pools.None, _time);
        _watcher = new NodeWatcher(
            _members,
            _members,
            Orleans.Services.GetRequiredService<GrainInterfaceTypeResolver>(),
            FakeLinks.Grains(),
            new NodeLinks(_links, Orleans.Services.GetRequiredService<Serializer<NodeReport>>(), _time),
            _registry,
            Options.Create(new RoutingOptions()),
            _time,
            _log);
    }

    private CancellationToken Cancellation => _hangs.Token;

    public void Dispose()
    {
        _stopping.Cancel();
        _watcher.Dispose();
        _stopping.Dispose();
        _hangs.Dispose();
    }

    [Fact]
    public async Task Run_NodeJoinsAndLeaves_IsKnownInBetween()
    {
        var running = _watcher.Run(_stopping.Token);
        await ReportOfNewNode("a");

        _members.Leave("a");

        await Until(() => _registry.Nodes.Count == 0);
        Assert.False(running.IsCompleted);
        Assert.Empty(_log.Ids);
    }

    [Fact]
    public async Task Run_ConnectionBreaks_NodeIsLostUntilItReports()
    {
        var running = _watcher.Run(_stopping.Token);
        await ReportOfNewNode("a");

        _links.Break("a");
        await Until(() => _registry.Find("a")!.State == NodeState.Lost);
        await _time.PassRetry(Cancellation);
        _links.Break("a");
        await _time.PassRetry(Cancellation);
        _links.Send(Report("a", NodeState.Ready));

        await Until(() => _registry.Find("a")!.State == NodeState.Ready);
        Assert.Equal([300], _log.Ids);
        Assert.False(running.IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_UpdateStreamFails_IsLoggedAndReadAgain(bool ofMembers)
    {
        _members.Fail(ofMembers);
        var running = _watcher.Run(_stopping.Token);
        Assert.Equal(301, await _log.Next(Cancellation));

        await _time.PassRetry(Cancellation);

        await ReportOfNewNode("a", ofMembers);
        Assert.False(running.IsCompleted);
    }

    [Fact]
    public async Task Run_FollowingANodeFails_IsLoggedAndContinues()
    {
        var running = _watcher.Run(_stopping.Token);
        await ReportOfNewNode("a");
        using var faulty = _registry.WhileReady("a")
            .Register(() => throw new InvalidOperationException("a subscriber's"));

        _links.Break("a");
        Assert.Equal(300, await _log.Next(Cancellation));
        Assert.Equal(302, await _log.Next(Cancellation));
        await _time.PassRetry(Cancellation);
        _links.Send(Report("a", NodeState.Ready));

        await Until(() => _registry.Find("a")!.State == NodeState.Ready);
        Assert.False(running.IsCompleted);
    }

    [Fact]
    public async Task Run_Stops_DoesNotWaitForUpdateStreams()
    {
        var running = _watcher.Run(_stopping.Token);
        await ReportOfNewNode("a");

        await _stopping.CancelAsync();

        await running.WaitAsync(Cancellation);
        Assert.Empty(_log.Ids);
    }

    private async Task ReportOfNewNode(string node, bool toMembers = true)
    {
        _members.Join(node, toMembers);
        _links.Send(Report(node, NodeState.Ready));
        await Until(() => _registry.Find(node) is { State: NodeState.Ready });
    }

    private async Task Until(Func<bool> condition)
    {
        for (var changed = _registry.Changed; !condition(); changed = _registry.Changed)
        {
            await changed.WaitAsync(Cancellation);
        }
    }

    /// <summary>Orleans' serializer and names of interfaces. The host is never started.</summary>
    private static IHost WithOrleans()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client => client.UseLocalhostClustering());
        return builder.Build();
    }
}
