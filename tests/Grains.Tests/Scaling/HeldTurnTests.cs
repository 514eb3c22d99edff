using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Grains.Tests.Conversations.Turns;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Scaling;

/// <summary>Turns of a pool without a node.</summary>
public sealed class HeldTurnTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pools _pools = new(Options.Create(new ScalingOptions
    {
        Pools = [new PoolOptions { Model = "m", Min = 0 }, new PoolOptions { Model = "awake", Min = 1 }],
    }));

    private readonly NodeRegistry _registry;
    private readonly TurnRouter _router;

    public HeldTurnTests()
    {
        _registry = new NodeRegistry(_pools, _time);
        var router = new Router(_registry, Options.Create(new RoutingOptions()), _time);
        _router = new TurnRouter(_registry, router, _pools, _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("m")]
    [InlineData(null)]
    public async Task Route_PoolSleeps_WaitsForItsFirstNode(string? asked)
    {
        var model = await _router.ChooseModel(asked, Cancellation);
        var routing = Route(model);
        _time.Advance(TimeSpan.FromMinutes(9));

        Assert.Equal(1, _pools.Held["m"]);
        Assert.False(routing.IsCompleted);
        _registry.Update(TurnExecutorScene.Report("a"));

        Assert.Equal("a", (await routing).Node);
        Assert.Empty(_pools.Held);
    }

    [Fact]
    public async Task Route_PoolDoesNotWake_SaysSoInTheEnd()
    {
        var routing = Route("m");
        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(HerdError.Unavailable, (await Assert.ThrowsAsync<HerdException>(() => routing)).Error);
        Assert.Empty(_pools.Held);
    }

    [Fact]
    public async Task Route_PoolThatShouldHaveNodesHasNone_SaysSoSoon()
    {
        var routing = Route("awake");
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(HerdError.Unavailable, (await Assert.ThrowsAsync<HerdException>(() => routing)).Error);
    }

    [Fact]
    public void Models_PoolSleeps_AreListed() =>
        Assert.Equal(["m"], _registry.Models.Select(model => model.Id));

    private Task<PlacementDecision> Route(string model) => _router.Route(
        model,
        () => new RouteRequest { Conversation = "c", Reason = PlacementReason.Turn, Tokens = 1 },
        new TurnFailures(),
        Cancellation);
}
