using FsCheck.Xunit;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Herd.Grains.Routing.Policies;

namespace Herd.Grains.Tests.Routing;

public sealed class PredictedTtftTests
{
    private readonly PredictedTtft _policy = new();
    private readonly RoutingTable _table = new();

    private static RouteRequest Turn => new()
    {
        Conversation = "c",
        Reason = PlacementReason.Turn,
        Home = "home",
        Tokens = 1000,
        CachedTokens = 900,
        Idle = TimeSpan.FromSeconds(1),
    };

    [Fact]
    public void Choose_HomeIsIdle_StaysHome() =>
        Assert.Equal("home", Choose(Turn, Tables.Node("home"), Tables.Node("other")));

    [Fact]
    public void Choose_HomeIsALittleBusier_StaysHome() =>
        Assert.Equal("home", Choose(Turn, Tables.Node("home", active: 1), Tables.Node("other")));

    [Fact]
    public void Choose_MuchIsQueuedAtHome_PullsElsewhere()
    {
        Assert.Equal("other", Choose(Turn, Tables.Node("home", prefill: 5000), Tables.Node("other")));

        Assert.Equal(KvOrigin.Pull, TtftPredictor.Predict(_table, _table.IndexOf("other"), Turn, now: 0).Origin);
    }

    /// <summary>
    /// Few tokens of a long prompt fit into a step beside others, but a short one has a step of its own.
    /// </summary>
    [Fact]
    public void Choose_HomeDecodesAndLittleIsMissing_StaysHome()
    {
        var crowded = Tables.Figures with { PromptRate = 2, ShortPromptSeconds = 0.1, PullWait = 1 };

        Assert.Equal("home", Choose(
            Turn with { CachedTokens = 980 },
            Tables.Node("home", active: 4, figures: crowded),
            Tables.Node("other", figures: crowded)));
        Assert.Equal("other", Choose(
            Turn with { CachedTokens = 900 },
            Tables.Node("home", active: 4, figures: crowded),
            Tables.Node("other", figures: crowded)));
    }

    /// <summary>Only the node knows the time of many short prompts, one a step.</summary>
    [Fact]
    public void Predict_NodeSaysHowLongItsPromptsTake_IsTheQueue()
    {
        var said = Tables.Node(
            "home", active: 4, prefill: 100, figures: Tables.Figures with { PromptRate = 2, PrefillSeconds = 0.5 });

        Assert.Equal(0.5, said.Queue);
    }

    [Theory]
    [InlineData(1, KvOrigin.Device, 0.2)]
    [InlineData(50, KvOrigin.Host, 0.29)]
    [InlineData(500, KvOrigin.Disk, 0.38)]
    [InlineData(5000, KvOrigin.Replay, 2)]
    public void Predict_AtHome_IsWhereItIsAfterSoLong(int idle, KvOrigin origin, double seconds)
    {
        _table.Set(Tables.Node("home"));

        var forecast = TtftPredictor.Predict(_table, 0, Turn with { Idle = TimeSpan.FromSeconds(idle) }, now: 0);

        Assert.Equal((origin, seconds), (forecast.Origin, Math.Round(forecast.Kv, 2)));
    }

    [Fact]
    public void Predict_SlowNetwork_Replays()
    {
        _table.Set(Tables.Node("home"));
        _table.Set(Tables.Node("other", figures: Tables.Figures with { PullRate = 1e6 }));

        Assert.Equal(KvOrigin.Replay, TtftPredictor.Predict(_table, 1, Turn, now: 0).Origin);
    }

    [Fact]
    public void Predict_NothingIsBroughtFromOtherNodes_Replays()
    {
        var table = new RoutingTable { PullsKv = false };
        table.Set(Tables.Node("home"));
        table.Set(Tables.Node("other"));

        Assert.Equal(KvOrigin.Replay, TtftPredictor.Predict(table, table.IndexOf("other"), Turn, now: 0).Origin);
    }

    [Fact]
    public void Choose_HomeDrains_PullsElsewhere()
    {
        Assert.Equal("other", Choose(Turn, Tables.Node("home", state: NodeState.Draining), Tables.Node("other")));

        Assert.Equal(KvOrigin.Pull, TtftPredictor.Predict(_table, _table.IndexOf("other"), Turn, now: 0).Origin);
    }

    [Fact]
    public void Choose_HomeIsLost_ReplaysElsewhere()
    {
        Assert.Equal("other", Choose(Turn, Tables.Node("home", state: NodeState.Lost), Tables.Node("other")));

        Assert.Equal(KvOrigin.Replay, TtftPredictor.Predict(_table, _table.IndexOf("other"), Turn, now: 0).Origin);
    }

    [Fact]
    public void Choose_NewConversation_GoesWhereItsBeginningIs()
    {
        var shared = Tables.Figures with { Prefixes = [7] };
        var request = Turn with { Home = null, CachedTokens = 0, Prefix = 7, PrefixTokens = 600 };

        Assert.Equal(
            "b", Choose(request, Tables.Node("a"), Tables.Node("b", active: 1, figures: shared), Tables.Node("c")));
    }

    [Fact]
    public void Choose_OldReport_CountsForLess()
    {
        var request = Turn with { Home = null, CachedTokens = 0 };

        Assert.Equal("new", Choose(request, Tables.Node("old", at: -3), Tables.Node("new", active: 2)));
    }

    [Fact]
    public void Choose_NewConversationsInARow_SpreadOverNodesThatAreAlike()
    {
        var sessions = new int[4];
        for (var i = 0; i < 40; i++)
        {
            for (var node = 0; node < sessions.Length; node++)
            {
                _table.Set(
                    Tables.Node($"n{node}", figures: Tables.Figures with { OffloadedSessions = sessions[node] }));
            }

            sessions[_policy.Choose(_table, Turn with { Home = null, CachedTokens = 0 }, now: 0)]++;
        }

        Assert.Equal([10, 10, 10, 10], sessions);
    }

    /// <summary>
    /// In any cluster the choice is possible, and no other is predicted to be better by more than the margin. It is the
    /// home if that can be, and else nobody as good has fewer sessions.
    /// </summary>
    [Property(MaxTest = 2000)]
    public bool Choose_AnyCluster_TakesOneOfTheBest(int seed)
    {
        var (table, request) = Tables.Draw(seed);
        var possible = Enumerable.Range(0, table.Count).Where(index => table.IsPossible(index, request)).ToList();

        var chosen = _policy.Choose(table, request, now: 0);

        if (chosen < 0)
        {
            return possible.Count == 0;
        }

        var least = possible.Min(Total);
        var near = possible.Where(index => PredictedTtft.IsNear(Total(index), least)).ToList();
        var home = near.FindIndex(index => table[index].Node == request.Home);
        return near.Contains(chosen)
            && (home >= 0
                ? chosen == near[home]
                : near.TrueForAll(index => table[index].Sessions >= table[chosen].Sessions));

        double Total(int index) => TtftPredictor.Predict(table, index, request, now: 0).Total;
    }

    /// <summary>More to do on a node never makes it be chosen where it was not before.</summary>
    [Property(MaxTest = 1000)]
    public bool Choose_NodeGetsBusier_IsNotChosenForIt(int seed, byte more)
    {
        var (table, request) = Tables.Draw(seed);
        if (table.Count < 2 || _policy.Choose(table, request, now: 0) is not (>= 0 and var before))
        {
            return true;
        }

        var busier = (before + 1) % table.Count;
        table.Set(table[busier] with { Queue = table[busier].Queue + more });

        return _policy.Choose(table, request, now: 0) != busier;
    }

    private string Choose(RouteRequest request, params ReadOnlySpan<NodeEstimate> nodes)
    {
        foreach (var node in nodes)
        {
            _table.Set(node);
        }

        return _table[_policy.Choose(_table, request, now: 0)].Node;
    }
}
