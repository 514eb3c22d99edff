using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Scaling;
using Herd.Grains.Tests.Conversations.Turns;
using Microsoft.Extensions.Logging.Abstractions;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations;

/// <summary>
/// Migration of conversations without a running turn: at rest, or with a turn that another gateway left pending.
/// </summary>
public sealed class SessionMigrationTests : TurnExecutorScene
{
    private readonly (IGrainFactory Grains, FakeNodes Nodes) _nodes =
        New((_, request) => [Token(request.Produced.Count + 1), End(request.Produced.Count + 1)]);

    [Fact]
    public async Task Run_AtRest_MigratesAndFreesTheOldSession()
    {
        Home(answered: true);

        var placement = await Migrate(PlacementReason.Rebalanced);

        Assert.Equal("b", placement!.Node);
        Assert.Equal([("b", "http://a", GrainKey.Session("a", "t", "c", "m"))], _nodes.Nodes.Pulls);
        Assert.Equal(("b", 6L), (Store.Stored!.Conversation.Home, Store.Stored.Conversation.Epoch));
        Assert.Equal([("a", 6L)], _nodes.Nodes.Released);
    }

    /// <summary>
    /// The caller is about to resume the turn, or reads it from a gateway on the other side of a partition.
    /// </summary>
    [Fact]
    public async Task Run_RebalancedWithAPendingTurn_ChangesNothing()
    {
        Home(answered: false);
        var before = Store.Stored;

        var placement = await Migrate(PlacementReason.Rebalanced);

        Assert.Null(placement);
        Assert.Empty(_nodes.Nodes.Pulls);
        Assert.Same(before, Store.Stored);
    }

    /// <summary>Only the draining node has the replay buffer of the answer that the lost gateway delivered.</summary>
    [Theory]
    [InlineData(true, "b")]
    [InlineData(false, "a")]
    public async Task Run_NodeDrainsWithAPendingTurn_AnswerResumesBehindTheDeliveredPart(bool isLater, string home)
    {
        Home(answered: false, isLater);
        Registry.Update(Report("a") with { State = NodeState.Draining });
        _nodes.Nodes.ReplayBuffer = new GenerationEvent([1, 2], "1 2 ", null);

        await Migrate(PlacementReason.NodeDrains);
        var stored = Store.Stored!.Conversation;
        Registry.Remove("a");
        _nodes.Nodes.ReplayBuffer = null;
        var turn = await Run(_nodes, stored.Turns[^1], begin: new TurnStart(new AnswerOffset(4, 2), IsNew: false));

        Assert.Equal(
            (home, TurnState.Pending, "1 2 "), (stored.Home, stored.Turns[^1].State, stored.Turns[^1].Answer.Text));
        Assert.Equal("1 2 3 ", turn.Answer.Text);
        Assert.Equal("3 ", DeliveredSoFar());
    }

    /// <summary>A conversation with the home a. Its last turn names no model.</summary>
    private void Home(bool answered, bool isLater = true)
    {
        History();
        var turns = Store.Stored!.Conversation.Turns;
        Store.Stored = Store.Stored with
        {
            Conversation = Store.Stored.Conversation with { Turns = answered
                ? [turns[0]]
                : isLater ? turns : [turns[1]], Home = "a", Epoch = 5 },
        };
    }

    private async Task<PlacementDecision?> Migrate(PlacementReason reason)
    {
        var transcript = new Transcript(Store, "t", "c");
        await transcript.Load(CancellationToken.None);
        var migration = new SessionMigration(
            Registry,
            Router,
            new TurnRouter(Registry, Router, Pools.None, Time),
            new SessionClient(Registry, _nodes.Grains, Time),
            NullLogger<SessionMigration>.Instance);
        return await migration.Run(transcript, target: null, reason, CancellationToken.None);
    }
}
