using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using static Herd.Grains.Tests.FakeNodes;

namespace Herd.Grains.Tests;

public sealed class TurnRunnerTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ClusterView _view = new();
    private readonly MemoryConversationStore _store = new();
    private readonly Channel<TurnEvent> _events = Channel.CreateUnbounded<TurnEvent>();
    private readonly CancellationTokenSource _caller = new();

    public TurnRunnerTests()
    {
        _view.Update(Report("a"));
        _view.Update(Report("b"));
    }

    private Turn Stored => _store.Stored!.Conversation.Turns.Single();

    public void Dispose() => _caller.Dispose();

    [Fact]
    public async Task Answer_NodeFailsInMidStream_GoesOnElsewhereWithWhatWasProduced()
    {
        var nodes = New((node, request) => node == "a"
            ? [Token(1), Token(2), new SiloUnavailableException("killed")]
            : [Token(3), End(3)]);

        var turn = await Run(nodes);

        Assert.Equal((TurnState.Completed, "1 2 3 ", "b"), (turn.State, turn.Answer.Text, turn.Node));
        Assert.Equal([1, 2, 3], turn.Answer.Tokens);
        Assert.Equal("1 2 3 ", Delivered());
        Assert.Equal([("a", 1L, 0), ("b", 2L, 2)], nodes.Nodes.Calls.Select(call => (call.Node, call.Request.Epoch, call.Request.Produced.Count)));
        Assert.Equal(("b", 2L), (_store.Stored!.Conversation.Home, _store.Stored.Conversation.Epoch));
        Assert.Equal(NodeState.Lost, _view.Nodes[0].State);
        Assert.Equal(turn, Stored);
    }

    [Fact]
    public async Task Answer_FailsWhereverItGoes_EndsAndKeepsWhatWasProduced()
    {
        var nodes = New((_, request) => request.Produced.Count == 0
            ? [Token(1), new HerdException(HerdError.Unavailable, "poisoned")]
            : [new HerdException(HerdError.Unavailable, "poisoned")]);
        using var reports = new Timer(_ => _view.Update(Report("a")), null, 0, 1);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Equal("8", error.Details["attempts"]);
        Assert.Equal((TurnState.Failed, "1 "), (Stored.State, Stored.Answer.Text));
    }

    [Fact]
    public async Task Answer_EveryNodeOverloaded_SaysSoAtOnce()
    {
        var nodes = New((_, _) => [new HerdException(HerdError.Overloaded, "full")]);

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Overloaded, error.Error);
        Assert.Equal(2, nodes.Nodes.Calls.Count);
    }

    [Fact]
    public async Task Answer_PromptAtFault_IsNotTriedElsewhere()
    {
        var nodes = New((_, _) => [new HerdException(HerdError.ContextOverflow, "too long")]);

        await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Single(nodes.Nodes.Calls);
        Assert.Equal(TurnState.Failed, Stored.State);
    }

    [Fact]
    public async Task Answer_CallerGoesAway_KeepsWhatWasProducedAndGoesOnLater()
    {
        var leaving = New((_, _) => Leave([Token(1), Token(2), Token(3), End(3)]));
        var cancelled = await Run(leaving);
        Assert.Equal((TurnState.Cancelled, Finish.Cancelled, "1 2 "), (cancelled.State, cancelled.Finish, cancelled.Answer.Text));

        var turn = await Run(New((_, _) => [Token(3), End(3)]), cancelled, CancellationToken.None);

        Assert.Equal((TurnState.Completed, "1 2 3 "), (turn.State, turn.Answer.Text));
    }

    [Fact]
    public async Task Answer_NoNodeForLong_GivesUp()
    {
        _view.Lose("a");
        _view.Lose("b");
        var running = Run(New((_, _) => [End(0)]));
        while (!running.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(HerdError.Unavailable, (await Assert.ThrowsAsync<HerdException>(() => running)).Error);
    }

    [Fact]
    public async Task Answer_NodeComesBack_IsTaken()
    {
        _view.Lose("a");
        _view.Lose("b");
        var running = Run(New((_, _) => [Token(1), End(1)]));
        Assert.False(running.IsCompleted);

        _view.Update(Report("b"));

        Assert.Equal("b", (await running).Node);
    }

    [Fact]
    public async Task Answer_SomebodyElseOwnsTheConversation_GivesUpWithoutWriting()
    {
        var nodes = New((_, _) => Overtake([Token(1), End(1)]));

        var error = await Assert.ThrowsAsync<HerdException>(() => Run(nodes));

        Assert.Equal(HerdError.Conflict, error.Error);
        Assert.Equal(99, _store.Stored!.Revision);
    }

    [Fact]
    public async Task Answer_UnknownModel_SaysWhichThereAre()
    {
        var error = await Assert.ThrowsAsync<HerdException>(() => Run(New((_, _) => []), Turn() with { Model = "gpt-7" }));

        Assert.Equal((HerdError.ModelNotFound, "model"), (error.Error, error.Parameter));
        Assert.Contains("Served: m", error.Message, StringComparison.Ordinal);
    }

    private IEnumerable<object> Leave(object[] steps)
    {
        foreach (var step in steps)
        {
            if (step is GenerationEvent { Tokens: [3] })
            {
                _caller.Cancel();
            }

            yield return step;
        }
    }

    private object[] Overtake(object[] steps)
    {
        _store.Stored = _store.Stored! with { Revision = 99 };
        return steps;
    }

    private async Task<Turn> Run((IGrainFactory Grains, FakeNodes Nodes) nodes, Turn? turn = null, CancellationToken? cancellation = null)
    {
        turn ??= Turn();
        _store.Stored ??= new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [turn] }, 1);
        var transcript = new Transcript(_store, "t", "c");
        await transcript.Load(CancellationToken.None);
        var runner = new TurnRunner(_view, nodes.Grains, _time, NullLogger<TurnRunner>.Instance);
        return await runner.Answer(transcript, turn, ConversationKind.Durable, _events.Writer, cancellation ?? _caller.Token);
    }

    private string Delivered()
    {
        var text = "";
        while (_events.Reader.TryRead(out var update))
        {
            text += update.Delta?.Text;
        }

        return text;
    }

    private static Turn Turn() => new()
    {
        Id = "1",
        State = TurnState.Pending,
        Input = [new Message(Role.User, "hello")],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };

    private static NodeReport Report(string node) => new()
    {
        Node = node,
        State = NodeState.Ready,
        ProcessId = 1,
        Runtime = "none",
        Models = [new ServedModel { Id = "m", Description = "", ContextTokens = 1, Defaults = new GenerationSettings() }],
    };
}
