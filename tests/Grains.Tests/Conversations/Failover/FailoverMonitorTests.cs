using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Scaling;
using Herd.Grains.Tests.Conversations.Turns;

namespace Herd.Grains.Tests.Conversations.Failover;

/// <summary>Two nodes, a and b; the answer is generated on a.</summary>
public sealed class FailoverMonitorTests : TurnExecutorScene
{
    [Fact]
    public async Task WaitUntilNodeUnusable_NodeIsLost_IsNodeFailed()
    {
        var waiting = await Watch();
        Assert.False(waiting.IsCompleted);

        Registry.MarkLost("a");

        Assert.Equal(AttemptStatus.NodeFailed, await waiting);
    }

    [Fact]
    public async Task WaitUntilNodeUnusable_EngineHangs_IsNodeFailed()
    {
        var waiting = await Watch();

        Registry.Update(Report("a") with { State = NodeState.Stalled });

        Assert.Equal(AttemptStatus.NodeFailed, await waiting);
    }

    [Fact]
    public async Task WaitUntilNodeUnusable_NodeDrainsAndAnotherIsReady_IsNodeDraining()
    {
        var waiting = await Watch();

        Registry.Update(Report("a") with { State = NodeState.Draining });

        Assert.Equal(AttemptStatus.NodeDraining, await waiting);
    }

    [Fact]
    public async Task WaitUntilNodeUnusable_NodeDrainsAlone_WaitsForAnother()
    {
        Registry.Remove("b");
        var waiting = await Watch();

        Registry.Update(Report("a") with { State = NodeState.Draining });
        Assert.False(waiting.IsCompleted);
        Registry.Update(Report("b"));

        Assert.Equal(AttemptStatus.NodeDraining, await waiting);
    }

    private async Task<Task<AttemptStatus>> Watch()
    {
        var turn = Turn() with { Model = "m" };
        Store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [turn] }, 1);
        var transcript = new Transcript(Store, "t", "c");
        await transcript.Load(CancellationToken.None);
        var monitor = new FailoverMonitor(Registry, new TurnRouter(Registry, Router, Pools.None, Time));
        var bill = Bill(transcript, turn);
        var context = new TurnContext(
            transcript, turn, new TurnStart(AnswerOffset.Start, IsNew: true), Events, bill, Caller.Token);
        return monitor.WaitUntilNodeUnusable(context, "a", Caller.Token);
    }
}
