using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations.Turns.Attempts;

/// <summary>Each outcome of an attempt on node b, whose turn has a long history and the home a.</summary>
public sealed class TurnAttemptTests : TurnExecutorScene
{
    [Fact]
    public async Task Run_NodeEndsTheAnswer_IsCompleted()
    {
        var outcome = await Attempt(New((_, _) => [Token(1), End(1)]));

        Assert.Equal((AttemptStatus.Completed, Finish.Stop), (outcome.Status, outcome.Result!.Finish));
        Assert.Equal(("b", 6L), (Store.Stored!.Conversation.Home, Store.Stored.Conversation.Epoch));
    }

    /// <summary>The answer continues in memory. The write-behind stores it later.</summary>
    [Fact]
    public async Task Run_StoreIsAway_IsCompleted()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        var context = await Context();
        Store.IsAway = true;

        var outcome = await NewAttempt(nodes.Grains).Run(context, Placement());

        Assert.Equal((AttemptStatus.Completed, 6L), (outcome.Status, nodes.Nodes.Calls.Single().Request.Epoch));
        Assert.False(context.Transcript.IsSaved);
    }

    [Fact]
    public async Task Run_CallBreaks_IsNodeFailedWithItsException()
    {
        var outcome = await Attempt(New((_, _) => [Token(1), new SiloUnavailableException("killed")]));

        Assert.Equal(AttemptStatus.NodeFailed, outcome.Status);
        Assert.IsType<SiloUnavailableException>(outcome.Fault);
    }

    [Fact]
    public async Task Run_StreamEndsWithoutAResult_IsNodeFailed()
    {
        var outcome = await Attempt(New((_, _) => [Token(1)]));

        Assert.Equal(AttemptStatus.NodeFailed, outcome.Status);
        Assert.IsType<EnumerationAbortedException>(outcome.Fault);
    }

    [Theory]
    [InlineData(NodeState.Lost)]
    [InlineData(NodeState.Stalled)]
    public async Task Run_ReportsEndOrSayThatTheEngineHangs_IsNodeFailed(NodeState state)
    {
        var running = Attempt(New((_, _) => [Token(1), Hang]));
        await Delivered("1 ");

        if (state == NodeState.Lost)
        {
            Registry.MarkLost("b");
        }
        else
        {
            Registry.Update(Report("b") with { State = state });
        }

        Assert.Equal(new AttemptOutcome(AttemptStatus.NodeFailed), await running);
    }

    [Fact]
    public async Task Run_NodeDrains_IsNodeDraining()
    {
        var running = Attempt(New((_, _) => [Token(1), Hang]));
        await Delivered("1 ");

        Registry.Update(Report("b") with { State = NodeState.Draining });

        Assert.Equal(new AttemptOutcome(AttemptStatus.NodeDraining), await running);
    }

    [Fact]
    public async Task Run_PullFailsAndTheHomeIsReady_IsPullFailedWithoutAGeneration()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        nodes.Nodes.Pull = () => Task.FromResult(new KvPull(0, 0, 1, "it took too long"));

        var outcome = await Attempt(nodes);

        Assert.Equal(new AttemptOutcome(AttemptStatus.PullFailed), outcome);
        Assert.Empty(nodes.Nodes.Calls);
        Assert.Equal(("a", 5L), (Store.Stored!.Conversation.Home, Store.Stored.Conversation.Epoch));
    }

    [Fact]
    public async Task Run_PullFailsAndTheHomeIsDraining_ReplaysHere()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        nodes.Nodes.Pull = () => Task.FromResult(new KvPull(0, 0, 1, "it took too long"));
        Registry.Update(Report("a") with { State = NodeState.Draining });

        var outcome = await Attempt(nodes);

        Assert.Equal(AttemptStatus.Completed, outcome.Status);
        Assert.Equal(["b"], nodes.Nodes.Calls.Select(call => call.Node));
    }

    [Fact]
    public async Task Run_StoreHasANewerRevision_IsFencedWithoutAGeneration()
    {
        var nodes = New((_, _) => [Token(1), End(1)]);
        var context = await Context();
        Store.Stored = Store.Stored! with { Revision = 99 };

        var outcome = await NewAttempt(nodes.Grains).Run(context, Placement());

        Assert.Equal(AttemptStatus.Fenced, outcome.Status);
        Assert.Equal(HerdError.Conflict, Assert.IsType<HerdException>(outcome.Fault).Error);
        Assert.Empty(nodes.Nodes.Calls);
    }

    [Fact]
    public async Task Run_CallerLeaves_IsCancelledAndTheAnswerSoFarIsKept()
    {
        var context = await Context();
        var running = NewAttempt(New((_, _) => [Token(1), Hang]).Grains).Run(context, Placement());
        await Delivered("1 ");

        Caller.Cancel();

        Assert.Equal(new AttemptOutcome(AttemptStatus.Cancelled), await running);
        Assert.Equal("1 ", context.Answer.SoFar().Text);
    }

    [Theory]
    [InlineData(HerdError.Unavailable)]
    [InlineData(HerdError.Overloaded)]
    public async Task Run_NodeStopsOrIsOverloaded_IsNodeFailedWithItsError(HerdError error)
    {
        var outcome = await Attempt(New((_, _) => [new HerdException(error, "refused")]));

        Assert.Equal(AttemptStatus.NodeFailed, outcome.Status);
        Assert.Equal(error, Assert.IsType<HerdException>(outcome.Fault).Error);
    }

    [Fact]
    public async Task Run_NodeHasSeenANewerEpoch_IsFenced()
    {
        var outcome = await Attempt(New((_, _) => [new HerdException(HerdError.Fenced, "older epoch")]));

        Assert.Equal(AttemptStatus.Fenced, outcome.Status);
        Assert.Equal(HerdError.Fenced, Assert.IsType<HerdException>(outcome.Fault).Error);
    }

    /// <summary>Errors of the request are no outcome of an attempt.</summary>
    [Theory]
    [InlineData(HerdError.ContextOverflow)]
    [InlineData(HerdError.InvalidArgument)]
    public async Task Run_RequestIsAtFault_Throws(HerdError error)
    {
        var attempt = Attempt(New((_, _) => [new HerdException(error, "refused")]));

        Assert.Equal(error, (await Assert.ThrowsAsync<HerdException>(() => attempt)).Error);
    }

    private async Task<AttemptOutcome> Attempt((IGrainFactory Grains, FakeNodes Nodes) nodes) =>
        await NewAttempt(nodes.Grains).Run(await Context(), Placement());

    private async Task<TurnContext> Context()
    {
        var turn = History() with { Model = "m" };
        Store.Stored = Store.Stored! with { Conversation = Store.Stored.Conversation with { Home = "a", Epoch = 5 } };
        var transcript = new Transcript(Store, "t", "c");
        await transcript.Load(CancellationToken.None);
        return new TurnContext(
            transcript,
            turn,
            new TurnStart(AnswerOffset.Start, IsNew: true),
            Events,
            Bill(transcript, turn),
            Caller.Token);
    }

    private PlacementDecision Placement() => new()
    {
        At = Time.GetUtcNow(),
        Reason = PlacementReason.Turn,
        Policy = "test",
        Node = "b",
        Home = "a",
        Considered = [new TtftEstimate("b", 0, KvOrigin.Pull, 1, 0, 1, 1)],
    };
}
