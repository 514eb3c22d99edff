using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Events;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations.Turns;

/// <summary>Turns that run without a failover.</summary>
public sealed class TurnExecutorTests : TurnExecutorScene
{
    [Fact]
    public async Task Answer_FailsOnEveryNode_EndsAndKeepsTheAnswerSoFar()
    {
        var nodes = New((_, request) => request.Produced.Count == 0
            ? [Token(1), new HerdException(HerdError.Unavailable, "poisoned")]
            : [new HerdException(HerdError.Unavailable, "poisoned")]);
        using var reports = new Timer(_ => Registry.Update(Report("a")), null, 0, 1);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Equal("8", error.Details["attempts"]);
        Assert.Equal((TurnState.Failed, "1 "), (Stored.State, Stored.Answer.Text));
    }

    [Fact]
    public async Task Answer_EveryNodeOverloaded_FailsAtOnce()
    {
        var nodes = New((_, _) => [new HerdException(HerdError.Overloaded, "full")]);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Overloaded, error.Error);
        Assert.Equal(2, nodes.Nodes.Calls.Count);
    }

    [Fact]
    public async Task Answer_PromptAtFault_IsNotTriedOnAnotherNode()
    {
        var nodes = New((_, _) => [new HerdException(HerdError.ContextOverflow, "too long")]);

        await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Single(nodes.Nodes.Calls);
        Assert.Equal(TurnState.Failed, Stored.State);
    }

    [Fact]
    public async Task Answer_CallerLeaves_KeepsTheAnswerSoFarAndResumesLater()
    {
        var leaving = New((_, _) => Leave([Token(1), Token(2), Token(3), End(3)]));
        var cancelled = await Run(leaving);
        Assert.Equal(
            (TurnState.Cancelled, Finish.Cancelled, "1 2 "),
            (cancelled.State, cancelled.Finish, cancelled.Answer.Text));

        var turn = await Run(New((_, _) => [Token(3), End(3)]), cancelled, CancellationToken.None);

        Assert.Equal((TurnState.Completed, "1 2 3 "), (turn.State, turn.Answer.Text));
    }

    /// <summary>The caller does not read: unread events are bounded, the turn ends there, and can be resumed.</summary>
    [Fact]
    public async Task Answer_NotRead_EndsWithinBoundsAndResumesLater()
    {
        var length = 3 * TurnEvents.MaxUnread;
        var nodes = New((_, request) =>
            [.. Enumerable.Range(request.Produced.Count, length - request.Produced.Count).Select(Token), End(length)]);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal((HerdError.ReadTooSlowly, TurnEvents.MaxUnread), (error.Error, Events.Sent.Count));
        Assert.Equal(TurnState.Failed, Stored.State);
        var read = DeliveredSoFar();
        while (Stored.State != TurnState.Completed)
        {
            var tokens = read.Count(c => c == ' ');
            await Run(nodes, Stored, begin: new TurnStart(
                new AnswerOffset(read.Length, tokens), IsNew: false)).ContinueWith(_ => { }, TaskScheduler.Default);
            read += DeliveredSoFar();
        }

        Assert.Equal(string.Concat(Enumerable.Range(0, length).Select(i => $"{i} ")), read);
    }

    [Fact]
    public async Task Answer_NoNodeForLong_GivesUp()
    {
        Registry.MarkLost("a");
        Registry.MarkLost("b");
        var running = Run(New((_, _) => [End(0)]));
        while (!running.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(HerdError.Unavailable, (await Assert.ThrowsAsync<HerdException>(() => running)).Error);
    }

    [Fact]
    public async Task Answer_NodeReturns_IsUsed()
    {
        Registry.MarkLost("a");
        Registry.MarkLost("b");
        var running = Run(New((_, _) => [Token(1), End(1)]));
        Assert.False(running.IsCompleted);

        Registry.Update(Report("b"));

        Assert.Equal("b", (await running).Node);
    }

    [Fact]
    public async Task Answer_AnotherOwnerHasTheConversation_EndsWithoutWriting()
    {
        var nodes = New((_, _) => Overtake([Token(1), End(1)]));

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Conflict, error.Error);
        Assert.Equal(99, Store.Stored!.Revision);
    }

    /// <summary>The node has seen a newer epoch: another owner has the conversation.</summary>
    [Fact]
    public async Task Answer_NodeRefusesTheEpoch_EndsWithoutWriting()
    {
        var nodes = New((_, _) => [Token(1), new HerdException(HerdError.Fenced, "newer")]);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Fenced, error.Error);
        Assert.Single(nodes.Nodes.Calls);
        Assert.Equal((TurnState.Pending, true), (Stored.State, Stored.Answer.IsEmpty));
    }

    [Fact]
    public async Task Answer_UnknownModel_NamesTheServedOnes()
    {
        var error = await Assert.ThrowsAsync<HerdException>(
            () => Run(New((_, _) => []), Turn() with { Model = "gpt-7" }));

        Assert.Equal((HerdError.ModelNotFound, "model"), (error.Error, error.Parameter));
        Assert.Contains("Served: m", error.Message, StringComparison.Ordinal);
    }

    private IEnumerable<object> Leave(object[] steps)
    {
        foreach (var step in steps)
        {
            if (step is GenerationEvent { Tokens: [3] })
            {
                Caller.Cancel();
            }

            yield return step;
        }
    }

    private object[] Overtake(object[] steps)
    {
        Store.Stored = Store.Stored! with { Revision = 99 };
        return steps;
    }
}
