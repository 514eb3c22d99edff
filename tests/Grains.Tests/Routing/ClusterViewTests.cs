using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Routing;

public sealed class ClusterViewTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ClusterView _view;

    public ClusterViewTests() => _view = new ClusterView(Options.Create(new RoutingOptions()), Pools.None, _time);

    [Fact]
    public void Place_NodesNotReady_AreLeftOut()
    {
        _view.Update(Report("a", NodeState.Ready, active: 9));
        _view.Update(Report("b", NodeState.Loading));
        _view.Update(Report("c", NodeState.Draining));
        _view.Update(Report("e", NodeState.Stalled));
        _view.Update(Report("d", NodeState.Ready));
        _view.MarkLost("d");

        Assert.Equal("a", Place());
        Assert.Null(_view.Route("other", Request()));
    }

    [Fact]
    public void Place_LostNodeReports_IsBack()
    {
        _view.Update(Report("a", NodeState.Ready));
        _view.MarkLost("a");
        Assert.Null(Place());

        _view.Update(Report("a", NodeState.Ready));

        Assert.Equal("a", Place());
    }

    [Fact]
    public void Place_NodeLeavesTheCluster_IsGone()
    {
        _view.Update(Report("a", NodeState.Ready));
        _view.Update(Report("b", NodeState.Ready));

        _view.Remove("a");

        Assert.Equal(("b", 1), (Place(), _view.Nodes.Count));
    }

    /// <summary>Whoever was answered just now and goes on at once finds the home as idle as it is.</summary>
    [Fact]
    public void Reserve_OverBeforeTheNextReport_CountsNoMore()
    {
        double Contention() => _view.Route("m", Request())!.Considered.Single(node => node.Node == "a").DecodeContention;

        using (_view.Reserve("a", "m", kv: 0))
        {
            _view.Update(Report("a", NodeState.Ready, active: 1));
            Assert.True(Contention() > 0);
        }

        Assert.Equal(0, Contention());
        _view.Update(Report("a", NodeState.Ready, active: 1));
        Assert.True(Contention() > 0);
    }

    [Fact]
    public void Reserve_BeforeTheNextReport_CountsAsLoad()
    {
        _view.Update(Report("a", NodeState.Ready, active: 1));
        _view.Update(Report("b", NodeState.Ready, active: 2));
        var reservations = new[] { _view.Reserve("a", "m", kv: 0), _view.Reserve("a", "m", kv: 0), _view.Reserve("a", "m", kv: 0) };

        Assert.Equal("b", Place());

        Array.ForEach(reservations, reservation => reservation.Dispose());
        reservations[0].Dispose();
        Assert.Equal("a", Place());
    }

    /// <summary>A killed node's answers are placed within a moment, before any report shows the first of them.</summary>
    [Fact]
    public void Reserve_ManyPromptsAtOnce_AreSharedOut()
    {
        _view.Update(Report("a", NodeState.Ready));
        _view.Update(Report("b", NodeState.Ready, active: 2));
        var placed = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            var placement = _view.Route("m", Request() with { Tokens = 1000 })!;
            placed.Add(placement.Node);
            _view.Reserve(placement.Node, "m", placement.Chosen!.Kv);
        }

        Assert.InRange(placed.Count(node => node == "b"), 3, 4);
    }

    /// <summary>After a second reports say what there is to compute; what is over is waited for no more.</summary>
    [Fact]
    public void Reserve_SentASecondAgoOrOver_CountsAsReported()
    {
        double Queue() => _view.Route("m", Request())!.Chosen!.Queue;

        _view.Update(Report("a", NodeState.Ready));
        _view.Reserve("a", "m", kv: 2);
        using (_view.Reserve("a", "m", kv: 3))
        {
            Assert.Equal(5, Queue(), 3);
        }

        Assert.Equal(2, Queue(), 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        _view.Update(Report("a", NodeState.Ready));
        Assert.Equal(0, Queue(), 3);
    }

    /// <summary>Dozens of them are computed in a step; as if one came after the other they would look like a queue.</summary>
    [Fact]
    public void Reserve_ShortPrompts_AreNoQueue()
    {
        var report = Report("a", NodeState.Ready);
        _view.Update(report with { Models = [report.Models[0] with { Figures = new EngineFigures { ShortPromptSeconds = 0.1 } }] });

        _view.Reserve("a", "m", kv: 0.1);
        var brief = _view.Route("m", Request())!.Chosen!.Queue;
        _view.Reserve("a", "m", kv: 0.2);

        Assert.Equal((0, 0.2), (brief, _view.Route("m", Request())!.Chosen!.Queue));
    }

    [Fact]
    public void Place_Decision_SaysWhatWasForeseenForChosenHomeAndBestOther()
    {
        _view.Update(Report("a", NodeState.Ready, active: 9));
        _view.Update(Report("b", NodeState.Ready));
        _view.Update(Report("c", NodeState.Ready, active: 3));

        var placement = _view.Route("m", Request() with { Home = "a", Held = 1, Tokens = 2 })!;

        Assert.Equal(("b", "a", 3), (placement.Node, placement.Home, placement.Possible));
        Assert.Equal(["b", "a", "c"], placement.Considered.Select(forecast => forecast.Node));
        Assert.All(placement.Considered, forecast => Assert.Equal(
            forecast.Total, (forecast.Queue + forecast.Kv + forecast.DecodeContention) * forecast.StalenessPenalty, 9));
    }

    [Fact]
    public void WhileReady_NodeDrains_IsCancelled()
    {
        _view.Update(Report("a", NodeState.Ready));
        var ready = _view.WhileReady("a");
        _view.Update(Report("a", NodeState.Ready));
        Assert.False(ready.IsCancellationRequested);

        _view.Update(Report("a", NodeState.Draining));

        Assert.True(ready.IsCancellationRequested);
        Assert.True(_view.WhileReady("a").IsCancellationRequested);
    }

    [Fact]
    public void Changed_Update_Completes()
    {
        var changed = _view.Changed;
        Assert.False(changed.IsCompleted);

        _view.Update(Report("a", NodeState.Ready));

        Assert.True(changed.IsCompleted);
        Assert.False(_view.Changed.IsCompleted);
    }

    private string? Place() => _view.Route("m", Request())?.Node;

    private static RouteRequest Request() => new() { Conversation = "c", Reason = PlacementReason.Turn, Tokens = 1 };

    private static NodeReport Report(string node, NodeState state, int active = 0) => new()
    {
        Node = node,
        State = state,
        ProcessId = 1,
        Runtime = "none",
        Models =
        [
            new ServedModel { Id = "m", Description = "", ContextTokens = 1, Defaults = new GenerationSettings(), Slots = 4, Active = active },
        ],
    };
}
