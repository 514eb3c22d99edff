using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static Herd.Grains.Tests.Routing.Tables;

namespace Herd.Grains.Tests.Routing;

public sealed class RouterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly NodeRegistry _registry;
    private readonly Router _router;

    public RouterTests()
    {
        _registry = new NodeRegistry(Pools.None, _time);
        _router = new Router(_registry, Options.Create(new RoutingOptions()), _time);
    }

    [Fact]
    public void Route_NodesNotReady_AreLeftOut()
    {
        _registry.Update(Report("a", NodeState.Ready, active: 9));
        _registry.Update(Report("b", NodeState.Loading));
        _registry.Update(Report("c", NodeState.Draining));
        _registry.Update(Report("e", NodeState.Stalled));
        _registry.Update(Report("d", NodeState.Ready));
        _registry.MarkLost("d");

        Assert.Equal("a", Route());
        Assert.Null(_router.Route("other", Request()));
    }

    [Fact]
    public void Route_LostNodeReports_GetsWork()
    {
        _registry.Update(Report("a", NodeState.Ready));
        _registry.MarkLost("a");
        Assert.Null(Route());

        _registry.Update(Report("a", NodeState.Ready));

        Assert.Equal("a", Route());
    }

    /// <summary>A caller that sends its next turn at once finds its home idle.</summary>
    [Fact]
    public void Reserve_EndsBeforeTheNextReport_IsNoLoad()
    {
        double Contention() =>
            _router.Route("m", Request())!.Considered.Single(node => node.Node == "a").DecodeContention;

        using (_router.Reserve("a", "m", kv: 0))
        {
            _registry.Update(Report("a", NodeState.Ready, active: 1));
            Assert.True(Contention() > 0);
        }

        Assert.Equal(0, Contention());
        _registry.Update(Report("a", NodeState.Ready, active: 1));
        Assert.True(Contention() > 0);
    }

    [Fact]
    public void Reserve_BeforeTheNextReport_CountsAsLoad()
    {
        _registry.Update(Report("a", NodeState.Ready, active: 1));
        _registry.Update(Report("b", NodeState.Ready, active: 2));
        var reservations = Enumerable.Range(0, 3).Select(_ => _router.Reserve("a", "m", kv: 0)).ToArray();

        Assert.Equal("b", Route());

        Array.ForEach(reservations, reservation => reservation.Dispose());
        reservations[0].Dispose();
        Assert.Equal("a", Route());
    }

    /// <summary>The answers of a killed node are routed before any report shows the first of them.</summary>
    [Fact]
    public void Reserve_ManyPromptsAtOnce_AreSpread()
    {
        _registry.Update(Report("a", NodeState.Ready));
        _registry.Update(Report("b", NodeState.Ready, active: 2));
        var placed = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            var placement = _router.Route("m", Request() with { Tokens = 1000 })!;
            placed.Add(placement.Node);
            _router.Reserve(placement.Node, "m", placement.Chosen!.Kv);
        }

        Assert.InRange(placed.Count(node => node == "b"), 3, 4);
    }

    /// <summary>After a second the report shows the prompts. A turn that ended is no load.</summary>
    [Fact]
    public void Reserve_ASecondOldOrEnded_CountsAsReported()
    {
        double Queue() => _router.Route("m", Request())!.Chosen!.Queue;

        _registry.Update(Report("a", NodeState.Ready));
        _router.Reserve("a", "m", kv: 2);
        using (_router.Reserve("a", "m", kv: 3))
        {
            Assert.Equal(5, Queue(), 3);
        }

        Assert.Equal(2, Queue(), 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        _registry.Update(Report("a", NodeState.Ready));
        Assert.Equal(0, Queue(), 3);
    }

    /// <summary>A step computes dozens of short prompts, so they do not wait for each other.</summary>
    [Fact]
    public void Reserve_ShortPrompts_AreNoQueue()
    {
        var report = Report("a", NodeState.Ready);
        var model = report.Models[0] with { Figures = new EngineFigures { ShortPromptSeconds = 0.1 } };
        _registry.Update(report with { Models = [model] });

        _router.Reserve("a", "m", kv: 0.1);
        var brief = _router.Route("m", Request())!.Chosen!.Queue;
        _router.Reserve("a", "m", kv: 0.2);

        Assert.Equal((0, 0.2), (brief, _router.Route("m", Request())!.Chosen!.Queue));
    }

    [Fact]
    public void Route_Decision_HasThePredictionsForChosenNodeHomeAndBestOther()
    {
        _registry.Update(Report("a", NodeState.Ready, active: 9));
        _registry.Update(Report("b", NodeState.Ready));
        _registry.Update(Report("c", NodeState.Ready, active: 3));

        var placement = _router.Route("m", Request() with { Home = "a", CachedTokens = 1, Tokens = 2 })!;

        Assert.Equal(("b", "a", 3), (placement.Node, placement.Home, placement.Possible));
        Assert.Equal(["b", "a", "c"], placement.Considered.Select(forecast => forecast.Node));
        Assert.All(placement.Considered, forecast => Assert.Equal(
            forecast.Total, (forecast.Queue + forecast.Kv + forecast.DecodeContention) * forecast.StalenessPenalty, 9));
    }

    [Fact]
    public void Route_RouterStartsAfterTheReports_KnowsTheNodes()
    {
        _registry.Update(Report("a", NodeState.Ready));

        var late = new Router(_registry, Options.Create(new RoutingOptions()), _time);

        Assert.Equal("a", late.Route("m", Request())?.Node);
    }

    private string? Route() => _router.Route("m", Request())?.Node;

    private static RouteRequest Request() => new() { Conversation = "c", Reason = PlacementReason.Turn, Tokens = 1 };
}
