using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Storage;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations.Turns;

/// <summary>Answers whose node fails, falls silent or drains, and answers whose gateway was lost.</summary>
public sealed class TurnFailoverTests : TurnExecutorScene
{
    [Fact]
    public async Task Answer_NodeFailsInMidStream_ContinuesOnAnotherNodeBehindItsTokens()
    {
        var nodes = New((node, request) => node == "a"
            ? [Token(1), Token(2), new SiloUnavailableException("killed")]
            : [Token(3), End(3)]);

        var turn = await Run(nodes);

        Assert.Equal((TurnState.Completed, "1 2 3 ", "b"), (turn.State, turn.Answer.Text, turn.Node));
        Assert.Equal([1, 2, 3], turn.Answer.Tokens);
        Assert.Equal("1 2 3 ", DeliveredSoFar());
        Assert.Equal(
            [("a", 1L, 0), ("b", 2L, 2)],
            nodes.Nodes.Calls.Select(call => (call.Node, call.Request.Epoch, call.Request.Produced.Count)));
        Assert.Equal(("b", 2L), (Store.Stored!.Conversation.Home, Store.Stored.Conversation.Epoch));
        Assert.Equal(NodeState.Lost, Registry.Nodes[0].State);
        Assert.Equal(turn, Stored);
    }

    [Fact]
    public async Task Answer_NodeFallsSilentInMidStream_ContinuesOnAnotherNode()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        var running = Run(nodes);
        await Delivered("1 ");

        Registry.MarkLost("a");

        var turn = await running;
        Assert.Equal(("1 2 ", "b"), (turn.Answer.Text, turn.Node));
        Assert.Equal(
            [PlacementReason.Turn, PlacementReason.NodeFailed], turn.Placements!.Select(placement => placement.Reason));
        Assert.Empty(nodes.Nodes.Pulls);
    }

    /// <summary>A node whose engine hangs reports it.</summary>
    [Fact]
    public async Task Answer_EngineHangsInMidStream_ContinuesOnAnotherNode()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        var running = Run(nodes);
        await Delivered("1 ");

        Registry.Update(Report("a") with { State = NodeState.Stalled });

        Assert.Equal(("1 2 ", "b"), ((await running).Answer.Text, (await running).Node));
    }

    [Fact]
    public async Task Answer_NodeDrainsInMidStream_ContinuesOnAnotherNodeWithItsKvCache()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        var running = Run(nodes, History());
        await Delivered("1 ");

        Registry.Update(Report("a") with { State = NodeState.Draining });

        var turn = await running;
        Assert.Equal(("1 2 ", "b"), (turn.Answer.Text, turn.Node));
        Assert.Equal([("b", "http://a", GrainKey.Session("a", "t", "c", "m"))], nodes.Nodes.Pulls);
        Assert.Equal([("a", 2L)], nodes.Nodes.Released);
        Assert.Equal(
            (PlacementReason.NodeDrains, KvOrigin.Pull),
            (turn.Placements![1].Reason, turn.Placements[1].Considered[0].Origin));
        Assert.Equal(1, turn.Placements[1].Pull!.Tokens);
    }

    /// <summary>
    /// If the gateway were lost before the new home begins, no replay buffer would have the delivered part.
    /// </summary>
    [Fact]
    public async Task Answer_ContinuesOnAnotherNode_IsStoredBeforeTheNewHomeBegins()
    {
        Conversation? stored = null;
        var nodes = New((node, _) =>
        {
            stored = Store.Stored!.Conversation;
            return node == "a" ? [Token(1), Token(2), Hang] : [Token(3), End(3)];
        });
        var running = Run(nodes);
        await Delivered("1 2 ");

        Registry.Update(Report("a") with { State = NodeState.Draining });
        await running;

        Assert.Equal(
            ("b", TurnState.Pending, "1 2 "),
            (stored!.Home, stored.Turns.Single().State, stored.Turns.Single().Answer.Text));
    }

    [Fact]
    public async Task Answer_PullFails_IsReplayed()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        nodes.Nodes.Pull = () => Task.FromException<KvPull>(new SiloUnavailableException("gone"));
        var running = Run(nodes, History());
        await Delivered("1 ");

        Registry.Update(Report("a") with { State = NodeState.Draining });

        var turn = await running;
        Assert.Equal("1 2 ", turn.Answer.Text);
        Assert.Equal((0, "gone"), (turn.Placements![1].Pull!.Tokens, turn.Placements[1].Pull!.Failure));
    }

    /// <summary>The home is busy, but its KV cache saves a replay.</summary>
    [Fact]
    public async Task Answer_PullFailsAndTheHomeIsReady_RunsAtHome()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        nodes.Nodes.Pull = () => Task.FromResult(new KvPull(0, 0, 1, "it took too long"));

        var turn = await Run(nodes, HistoryAtABusyHome());

        Assert.Equal((TurnState.Completed, "a"), (turn.State, turn.Node));
        Assert.Equal(["b", "a"], turn.Placements!.Select(placement => placement.Node));
        Assert.Equal(["a"], nodes.Nodes.Calls.Select(call => call.Node));
    }

    [Fact]
    public async Task Answer_HomeIsLostDuringThePull_IsReplayedOnTheNewNode()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        nodes.Nodes.Pull = () =>
        {
            Registry.MarkLost("a");
            return Task.FromResult(new KvPull(0, 0, 1, "the connection broke"));
        };

        var turn = await Run(nodes, HistoryAtABusyHome());

        Assert.Equal((TurnState.Completed, "b"), (turn.State, turn.Node));
        Assert.Equal("the connection broke", Assert.Single(turn.Placements!).Pull!.Failure);
        Assert.Equal(["b"], nodes.Nodes.Calls.Select(call => call.Node));
    }

    [Fact]
    public async Task Answer_OnlyNodeDrains_FinishesThere()
    {
        Registry.Remove("b");
        var go = new TaskCompletionSource();
        var nodes = New((_, _) => [Token(1), go.Task, Token(2), End(2)]);
        var running = Run(nodes);
        await Delivered("1 ");

        Registry.Update(Report("a") with { State = NodeState.Draining });
        go.SetResult();

        Assert.Equal(("1 2 ", "a"), ((await running).Answer.Text, (await running).Node));
    }

    /// <param name="home">The home. This gateway has no report of c yet.</param>
    [Theory]
    [InlineData("a")]
    [InlineData("c")]
    public async Task Answer_BegunByALostOwner_ContinuesBehindTheReplayBuffer(string home)
    {
        var nodes = New((_, request) => request.Produced is [1, 2] ? [Token(3), End(3)] : []);
        nodes.Nodes.ReplayBuffer = new GenerationEvent([1, 2], "1 2 ", null);
        Store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [Turn()], Home = home, Epoch = 5 },
            1);

        var turn = await Run(
            nodes, Turn() with { Model = "m" }, begin: new TurnStart(new AnswerOffset(2, 1), IsNew: false));

        Assert.Equal("1 2 3 ", turn.Answer.Text);
        Assert.Equal("2 3 ", DeliveredSoFar());
        Assert.Equal(home == "a" ? 6 : 7, nodes.Nodes.Calls.Single().Request.Epoch);
    }

    /// <summary>
    /// One gateway drained and stored a token of the answer; the next one continued the turn and was lost.
    /// </summary>
    [Theory]
    [InlineData("1 ", 1, "1 2 3 ")]
    [InlineData("7 ", 7, "7 3 ")]
    public async Task Answer_HandedOverThenLostWithItsOwner_ContinuesBehindTheHomesReplayBuffer(
        string stored, int token, string expected)
    {
        var nodes = New((_, request) => [Token(3), End(request.Produced.Count + 1)]);
        nodes.Nodes.ReplayBuffer = new GenerationEvent([1, 2], "1 2 ", null);
        var left = Turn() with { Model = "m", State = TurnState.Cancelled, Answer = new Answer(stored, [token], true) };
        Store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [left], Home = "a", Epoch = 5 },
            1);

        var turn = await Run(nodes, left, begin: new TurnStart(new AnswerOffset(2, 1), IsNew: false));

        Assert.Equal(expected, turn.Answer.Text);
        Assert.Equal(expected[2..], DeliveredSoFar());
    }

    [Fact]
    public async Task Answer_DeliveredByALostOwnerAndLost_FailsAndCanBeSentAgain()
    {
        var nodes = New((_, _) => [Token(7), End(1)]);
        var begun = new TurnStart(new AnswerOffset(2, 1), IsNew: false);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes, begin: begun));
        var again = await Run(nodes, Stored, begin: begun with { Offset = AnswerOffset.Start });

        Assert.Equal(HerdError.AnswerLost, error.Error);
        Assert.Equal((TurnState.Completed, "7 "), (again.State, again.Answer.Text));
    }

    /// <summary>A turn of a conversation whose home, a, has the long history and is busy.</summary>
    private Turn HistoryAtABusyHome()
    {
        var turn = History();
        Store.Stored = Store.Stored! with { Conversation = Store.Stored.Conversation with { Home = "a", Epoch = 1 } };
        var busy = Report("a");
        Registry.Update(busy with { Models = [busy.Models[0] with
        {
            Slots = 1,
            Active = 1,
            Figures = new EngineFigures { PrefillTokens = 100_000 },
        }] });
        return turn;
    }
}
