using System.Text;
using System.Threading.Channels;
using FsCheck.Xunit;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using static Herd.Grains.Tests.FakeNodes;

namespace Herd.Grains.Tests;

public sealed class TurnRunnerTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ClusterView _view;
    private readonly MemoryConversationStore _store = new();
    private readonly Channel<TurnEvent> _events = Channel.CreateUnbounded<TurnEvent>();
    private readonly CancellationTokenSource _caller = new();

    public TurnRunnerTests()
    {
        _view = new ClusterView(Options.Create(new RoutingOptions()), _time);
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
        Assert.Equal("1 2 3 ", DeliveredSoFar());
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
    public async Task Answer_NodeFallsSilentInMidStream_GoesOnElsewhere()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        var running = Run(nodes);
        await Delivered("1 ");

        _view.Lose("a");

        var turn = await running;
        Assert.Equal(("1 2 ", "b"), (turn.Answer.Text, turn.Node));
        Assert.Equal([PlacementReason.Turn, PlacementReason.NodeFailed], turn.Placements!.Select(placement => placement.Reason));
        Assert.Empty(nodes.Nodes.Pulls);
    }

    [Fact]
    public async Task Answer_NodeDrainsInMidStream_GoesOnElsewhereWithItsKvCache()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        var running = Run(nodes, History());
        await Delivered("1 ");

        _view.Update(Report("a") with { State = NodeState.Draining });

        var turn = await running;
        Assert.Equal(("1 2 ", "b"), (turn.Answer.Text, turn.Node));
        Assert.Equal([("b", "http://a", GrainKey.Session("a", "t", "c", "m"))], nodes.Nodes.Pulls);
        Assert.Equal([("a", 2L)], nodes.Nodes.Released);
        Assert.Equal((PlacementReason.NodeDrains, KvOrigin.Pull), (turn.Placements![1].Reason, turn.Placements[1].Considered[0].Origin));
        Assert.Equal(1, turn.Placements[1].Move!.Tokens);
    }

    [Fact]
    public async Task Answer_PullFails_ReplaysAllTheSame()
    {
        var nodes = New((node, _) => node == "a" ? [Token(1), Hang] : [Token(2), End(2)]);
        nodes.Nodes.Pull = () => Task.FromException<KvMove>(new SiloUnavailableException("gone"));
        var running = Run(nodes, History());
        await Delivered("1 ");

        _view.Update(Report("a") with { State = NodeState.Draining });

        var turn = await running;
        Assert.Equal("1 2 ", turn.Answer.Text);
        Assert.Equal((0, "gone"), (turn.Placements![1].Move!.Tokens, turn.Placements[1].Move!.Failure));
    }

    [Fact]
    public async Task Answer_OnlyNodeDrains_FinishesThere()
    {
        _view.Remove("b");
        var go = new TaskCompletionSource();
        var nodes = New((_, _) => [Token(1), go.Task, Token(2), End(2)]);
        var running = Run(nodes);
        await Delivered("1 ");

        _view.Update(Report("a") with { State = NodeState.Draining });
        go.SetResult();

        Assert.Equal(("1 2 ", "a"), ((await running).Answer.Text, (await running).Node));
    }

    [Fact]
    public async Task Answer_BegunByALostOwner_GoesOnFromWhatTheNodeProduced()
    {
        var nodes = New((_, request) => request.Produced is [1, 2] ? [Token(3), End(3)] : []);
        nodes.Nodes.Tail = new GenerationEvent([1, 2], "1 2 ", null);
        _store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [Turn()], Home = "a", Epoch = 5 }, 1);

        var turn = await Run(nodes, Turn() with { Model = "m" }, begin: new TurnStart(new AnswerOffset(2, 1), IsNew: false));

        Assert.Equal("1 2 3 ", turn.Answer.Text);
        Assert.Equal("2 3 ", DeliveredSoFar());
        Assert.Equal(6, nodes.Nodes.Calls.Single().Request.Epoch);
    }

    /// <summary>However an answer is cut into pieces and wherever its stream broke, the rest is the rest.</summary>
    [Property(MaxTest = 300)]
    public bool Answer_ResumedAtAnyPlace_DeliversTheRest(byte[] pieces, byte broke)
    {
        string[] characters = ["a", "\u00e9", "\u65e5", "\ud83d\ude00"];
        var texts = pieces.Select(piece => string.Concat(Enumerable.Range(0, piece % 4).Select(i => characters[(piece + i) % 4]))).ToList();
        var delivered = texts.Take(broke % (pieces.Length + 1)).ToList();
        var offset = new AnswerOffset(delivered.Sum(Encoding.UTF8.GetByteCount), delivered.Count);
        var again = Channel.CreateUnbounded<TurnEvent>();

        var answer = new AnswerBuilder(new Answer(string.Concat(texts.Take(2)), [.. texts.Take(2).Select(_ => 7)], true), offset, again.Writer);
        foreach (var text in texts.Skip(2))
        {
            answer.Append(new GenerationEvent([7], text, null));
        }

        again.Writer.Complete();
        var rest = again.Reader.ReadAllAsync().ToBlockingEnumerable().Select(update => update.Delta!).ToList();
        return string.Concat(delivered) + string.Concat(rest.Select(delta => delta.Text)) == string.Concat(texts)
            && delivered.Count + rest.Sum(delta => delta.Tokens) == texts.Count
            && answer.SoFar().Text == string.Concat(texts);
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

    private async Task<Turn> Run((IGrainFactory Grains, FakeNodes Nodes) nodes, Turn? turn = null, CancellationToken? cancellation = null, TurnStart? begin = null)
    {
        var start = begin ?? new TurnStart(AnswerOffset.Start, IsNew: true);
        turn ??= Turn();
        _store.Stored ??= new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [turn] }, 1);
        var transcript = new Transcript(_store, "t", "c");
        await transcript.Load(CancellationToken.None);
        var runner = new TurnRunner(
            _view, new TurnPlacement(_view, _time), new TurnStream(_view, nodes.Grains, _time), NullLogger<TurnRunner>.Instance);
        return await runner.Answer(transcript, turn, ConversationKind.Durable, start, _events.Writer, cancellation ?? _caller.Token);
    }

    /// <summary>Waits until so much was delivered.</summary>
    private async Task Delivered(string text)
    {
        var so = "";
        while (so != text)
        {
            so += (await _events.Reader.ReadAsync(TestContext.Current.CancellationToken)).Delta?.Text;
        }
    }

    /// <summary>A turn of a conversation with a long history, which is dearer to replay than to pull.</summary>
    private Turn History()
    {
        var earlier = Turn() with
        {
            Id = "0", Model = "m", State = TurnState.Completed, Answer = new Answer("x", [9], true), Usage = new Usage(4000, 10, 0),
        };
        _store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [earlier, Turn()] }, 1);
        return Turn();
    }

    private string DeliveredSoFar()
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
        Link = $"http://{node}",
        Models = [new ServedModel { Id = "m", Description = "", ContextTokens = 1, Defaults = new GenerationSettings() }],
    };
}
