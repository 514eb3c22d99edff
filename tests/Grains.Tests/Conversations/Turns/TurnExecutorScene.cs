using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Grains.Tests.Accounting;
using Herd.Grains.Tests.Conversations.Failover.Poison;
using Herd.Grains.Tests.Conversations.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations.Turns;

/// <summary>Two nodes, a store in memory and a caller, around a <see cref="TurnExecutor"/>.</summary>
public abstract class TurnExecutorScene : IDisposable
{
    private protected readonly FakeTimeProvider Time;
    private protected readonly NodeRegistry Registry;
    private protected readonly Router Router;
    private protected readonly MemoryConversationStore Store = new();
    private protected readonly MemoryPoisonStore PoisonStore = new();
    private protected readonly PoisonRegister Register;
    private protected readonly LogOfPoison PoisonLog = new();
    private protected readonly TurnEvents Events = new();
    private protected readonly MemoryLedger Ledger = new();
    private protected readonly UsageRecorder Usage;
    private protected readonly CancellationTokenSource Caller = new();

    protected TurnExecutorScene()
        : this(new FakeTimeProvider())
    {
    }

    protected TurnExecutorScene(FakeTimeProvider time)
    {
        Time = time;
        Register = new PoisonRegister(PoisonStore, Time);
        Usage = new UsageRecorder(Ledger, Time, NullLogger<UsageRecorder>.Instance);
        Registry = new NodeRegistry(Pools.None, Time);
        Router = new Router(Registry, Options.Create(new RoutingOptions()), Time);
        Registry.Update(Report("a"));
        Registry.Update(Report("b"));
    }

    private protected Turn Stored => Store.Stored!.Conversation.Turns.Single();

    public void Dispose()
    {
        Caller.Dispose();
        Usage.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected async Task<Turn> Run(
        (IGrainFactory Grains, FakeNodes Nodes) nodes, Turn? turn = null, CancellationToken? cancellation = null,
        TurnStart? begin = null)
    {
        var start = begin ?? new TurnStart(AnswerOffset.Start, IsNew: true);
        turn ??= Turn();
        Store.Stored ??= new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [turn] }, 1);
        var transcript = new Transcript(Store, "t", "c");
        await transcript.Load(CancellationToken.None);
        var bill = Bill(transcript, turn);
        return await Executor(nodes.Grains)
            .Run(new TurnContext(transcript, turn, start, Events, bill, cancellation ?? Caller.Token));
    }

    private protected TurnBill Bill(Transcript transcript, Turn turn) => new(Usage, transcript, turn, "key");

    private protected TurnExecutor Executor(IGrainFactory grains)
    {
        var poison = new PoisonTurns(
            Registry,
            NewRouter(),
            Register,
            ClusterKeys.Digests(),
            Options.Create(new PoisonOptions()),
            Time,
            PoisonLog);
        return new TurnExecutor(
            Router,
            NewRouter(),
            new SessionClient(Registry, grains, Time),
            NewAttempt(grains),
            new FailedAttempts(Registry, poison, NullLogger<FailedAttempts>.Instance),
            poison,
            NullLogger<TurnExecutor>.Instance);
    }

    private protected TurnAttempt NewAttempt(IGrainFactory grains) => new(
        Registry, new SessionClient(Registry, grains, Time), new FailoverMonitor(Registry, NewRouter()));

    private TurnRouter NewRouter() => new(Registry, Router, Pools.None, Time);

    /// <summary>Waits until the text was delivered.</summary>
    private protected async Task Delivered(string text)
    {
        var so = "";
        while (so != text)
        {
            so += (await Events.Sent.ReadAsync(TestContext.Current.CancellationToken)).Delta?.Text;
        }
    }

    /// <summary>A turn of a conversation with a long history, for which a replay is slower than a pull.</summary>
    private protected Turn History()
    {
        var earlier = Turn() with
        {
            Id = "0", Model = "m", State = TurnState.Completed, Answer = new Answer(
                "x", [9], true), Usage = new Usage(4000, 10, 0),
        };
        Store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [earlier, Turn()] }, 1);
        return Turn();
    }

    private protected string DeliveredSoFar()
    {
        var text = "";
        while (Events.Sent.TryRead(out var update))
        {
            text += update.Delta?.Text;
        }

        return text;
    }

    private protected static Turn Turn() => new()
    {
        Id = "1",
        State = TurnState.Pending,
        Input = [new Message(Role.User, "hello")],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };

    internal static NodeReport Report(string node) => new()
    {
        Node = node,
        State = NodeState.Ready,
        ProcessId = 1,
        Runtime = "none",
        Link = $"http://{node}",
        Models = [new ServedModel
        {
            Id = "m",
            Description = "",
            ContextTokens = 1,
            Defaults = new GenerationSettings(),
        }],
    };
}
