using Herd.Contracts.Nodes;
using Herd.Grains.Nodes;

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

    /// <summary>The warm-up pulls over the node's own link, so that must listen.</summary>
    [Fact]
    public async Task Start_PortsDoNotListenYet_WarmUpWaits()
    {
        var warmUps = 0;
        await using var node = new SimulatedHost(
            () =>
            {
                warmUps++;
                return Task.CompletedTask;
            },
            isStarted: false);
        var starting = node.Start();
        await node.Until(_ => node.Host.Loaded is not null);
        Assert.Equal(0, warmUps);

        node.Lifetime.NotifyStarted();
        await starting;

        Assert.Equal(1, warmUps);
    }

    /// <summary>
    /// An idle engine made its last step zero seconds ago, so a deadline below zero stands for a stalled one.
    /// </summary>
    [Theory]
    [InlineData("loading", false, false, 0, NodeState.Loading)]
    [InlineData("loading", true, false, 0, NodeState.Draining)]
    [InlineData("loading", false, true, 0, NodeState.Draining)]
    [InlineData("warming", false, false, 0, NodeState.Loading)]
    [InlineData("warming", false, false, -1, NodeState.Loading)]
    [InlineData("warming", true, false, 0, NodeState.Draining)]
    [InlineData("serving", false, false, 0, NodeState.Ready)]
    [InlineData("serving", false, false, -1, NodeState.Stalled)]
    [InlineData("serving", true, false, -1, NodeState.Draining)]
    [InlineData("serving", false, true, -1, NodeState.Draining)]
    [InlineData("idle", false, false, 0, NodeState.Ready)]
    [InlineData("idle", false, false, -1, NodeState.Ready)]
    [InlineData("idle", true, false, 0, NodeState.Draining)]
    [InlineData("idle", false, true, 0, NodeState.Draining)]
    public async Task State_OfEachPhase_IsAsListed(
        string name, bool drains, bool stops, int deadline, NodeState expected)
    {
        await using var node = new SimulatedHost();
        await node.Start();
        var model = node.Host.Loaded!;
        NodePhase phase = name switch
        {
            "loading" => new NodePhase.Loading(0.5f),
            "warming" => new NodePhase.WarmingUp(model),
            "serving" => new NodePhase.Serving(model),
            _ => new NodePhase.Idle(1),
        };

        var state = (phase with { IsDraining = drains }).State(stops, TimeSpan.FromSeconds(deadline));

        Assert.Equal(expected, state);
    }

    [Fact]
    public async Task Report_DrainedAndReplacedByNothing_IsDrainingThenReadyWithoutAModel()
    {
        await using var node = new SimulatedHost();
        await node.Start();

        node.Host.BeginDrain();
        Assert.Equal(NodeState.Draining, node.Host.Report().State);

        node.Host.Replace("");
        await node.Until(report => report is { State: NodeState.Ready, Models.Count: 0 });

        Assert.Null(node.Host.Loaded);
    }

    /// <summary>Nothing follows deletions in files that no engine has.</summary>
    [Fact]
    public async Task Replace_ByNothing_DeletesTheKvCachesOnDisk()
    {
        await using var node = new SimulatedHost();
        await node.Start();
        node.Node.Value.KvDirectory = Path.Combine(Path.GetDirectoryName(node.Node.Value.Model)!, "kv");
        Directory.CreateDirectory(node.Node.Value.SnapshotFolder);
        var names = new[] { "a.kv", "b.kv.draft", "lock" }
            .Select(name => Path.Combine(node.Node.Value.SnapshotFolder, name)).ToList();
        names.ForEach(name => File.WriteAllText(name, "x"));

        node.Host.Replace("");
        await node.Until(report => report is { State: NodeState.Ready, Models.Count: 0 });

        Assert.Equal([names[2]], Directory.GetFiles(node.Node.Value.SnapshotFolder));
    }

    /// <summary>A later model that cannot be loaded leaves the node without one, and the report says why.</summary>
    [Fact]
    public async Task Report_LaterModelIsMissing_SaysWhyItServesNone()
    {
        await using var node = new SimulatedHost();
        await node.Start();
        Assert.Equal(("tiny", LoadStage.Served), (node.Host.Report().Load!.Model, node.Host.Report().Load!.Stage));

        node.Host.BeginDrain();
        node.Host.Replace("/nowhere.gguf");
        await node.Until(report => report.Load!.Stage == LoadStage.Failed);

        Assert.Contains("/nowhere.gguf", node.Host.Report().Load!.Failure, StringComparison.Ordinal);
        Assert.Equal((NodeState.Ready, 0), (node.Host.Report().State, node.Host.Report().Models.Count));
    }
}
