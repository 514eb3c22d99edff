using Herd.V1;
using static Herd.Cluster.Tests.TwoGateways;

namespace Herd.Cluster.Tests;

/// <summary>Nodes that are killed, frozen, or hang. No token is lost or repeated.</summary>
[Collection(nameof(TwoGateways))]
public sealed class NodeFailureTests(TwoGateways cluster)
{
    private const int Tokens = 150;

    [Fact]
    public async Task Converse_HomeWasKilled_GoesOnElsewhereWithItsHistory()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        await cluster.Kill(first.Node);

        var second = await cluster.Say(conversation, "And of Italy?");
        var third = await cluster.Say(conversation, "And of Spain?");

        Assert.NotEqual(first.Node, second.Node);
        Assert.Contains("Rome", second.Answer, StringComparison.Ordinal);
        Assert.Equal((second.Node, true), (third.Node, third.Usage.CachedTokens > second.Usage.PromptTokens));
        Assert.Equal([first, second, third], (await cluster.Read(conversation)).Turns);

        await cluster.Restore();
        Assert.Equal(2, (await cluster.Run("nodes")).Output.Split("READY").Length - 1);
    }

    [Fact]
    public async Task Converse_HomeKilledInMidStream_GoesOnWithoutLossOrRepetition()
    {
        var conversation = (await cluster.New()).ConversationId;
        var warm = await cluster.Say(conversation, "Hello.", maxTokens: 4);
        var killed = false;

        var turn = await cluster.Say(
            conversation, Story, maxTokens: Tokens, ignoreEnd: true, onDelta: Once(() =>
            {
                killed = true;
                return cluster.Kill(warm.Node);
            }));

        Assert.True(killed);
        Assert.NotEqual(warm.Node, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        await cluster.Restore();
    }

    [Fact]
    public async Task Converse_HomeKilledAndStartedAgain_FindsItsKvCacheOnDisk()
    {
        // Long enough that computing it again costs more than reading it, however busy the machine is.
        var system = string.Concat(Enumerable.Repeat("Answer briefly. ", 300));
        var conversation = (await cluster.New(system)).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");

        // The node writes the KV cache behind, when it is idle.
        await cluster.WaitForKvFile(first.Node, conversation);
        await cluster.Kill(first.Node);
        await cluster.Restore();
        var second = await cluster.Say(conversation, "And of Italy?");

        // Its KV cache is nowhere else: the other node, should it answer, pulls what its home reads from the disk.
        AssertWarm(first, second);
    }

    [Fact]
    public async Task Converse_HomeFrozenInMidStream_GoesOnElsewhereAndTheNodeComesBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        var home = (await cluster.Say(conversation, "Hello.", maxTokens: 4)).Node;

        var turn = await cluster.Say(
            conversation, Story, maxTokens: Tokens, ignoreEnd: true, onDelta: Once(() => cluster.Freeze(home)));
        await cluster.Continue(home);

        Assert.NotEqual(home, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        await cluster.WaitForNodes(2);
        Assert.Equal(turn.Node, (await cluster.Say(conversation, "And then?", maxTokens: 4)).Node);
    }

    /// <summary>The process answers and its links report. Only its engine hangs in a step.</summary>
    [Fact]
    public async Task Converse_EngineHangsInMidStream_GoesOnElsewhereAndTheNodeComesBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        var home = (await cluster.Say(conversation, "Hello.", maxTokens: 4)).Node;
        StoppedThread? engine = null;

        var turn = await cluster.Say(
            conversation, Story, maxTokens: Tokens, ignoreEnd: true, onDelta: Once(() =>
            {
                engine = new StoppedThread(cluster.Pid(home), "herd engine");
                return Task.CompletedTask;
            }));
        var nodes = (await cluster.Run("nodes")).Output;
        engine!.Dispose();

        Assert.NotEqual(home, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        Assert.Contains("STALLED", nodes, StringComparison.Ordinal);
        await cluster.WaitForNodes(2);
        Assert.Equal(turn.Node, (await cluster.Say(conversation, "And then?", maxTokens: 4)).Node);
    }
}
