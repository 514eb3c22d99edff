using System.Threading.Channels;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations;

/// <summary>
/// Has a turn answered, wherever that takes: route, settle there under an epoch of its own, stream. When the node fails,
/// the same again elsewhere with the tokens produced so far, so the caller sees a pause and nothing else.
/// </summary>
internal sealed class TurnRunner(ClusterView view, IGrainFactory grains, TimeProvider time, ILogger<TurnRunner> logger)
{
    /// <summary>How long a turn waits for a node that can take it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A turn that fails wherever it goes is at fault itself.</summary>
    private const int MaxAttempts = 8;

    /// <summary>Answers a turn that is stored already.</summary>
    /// <returns>The turn as it is stored at the end: completed, or cancelled with what was produced.</returns>
    /// <exception cref="HerdException">There is no answer; the turn is stored as failed.</exception>
    public async Task<Turn> Answer(
        Transcript transcript, Turn turn, ConversationKind kind, ChannelWriter<TurnEvent> events, CancellationToken cancellation)
    {
        var answer = new AnswerBuilder(turn.Answer, events);
        try
        {
            turn = turn with { Model = await ChooseModel(turn.Model, cancellation) };
            turn = await AnswerSomewhere(transcript, turn, kind, answer, events, cancellation);
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            turn = turn with { State = TurnState.Cancelled, Answer = answer.SoFar(), Finish = Finish.Cancelled };
        }
        catch (HerdException e) when (e.Error is not (HerdError.Conflict or HerdError.Fenced or HerdError.StoreUnavailable))
        {
            await transcript.WriteTurn(turn with { State = TurnState.Failed, Answer = answer.SoFar() }, kind);
            throw;
        }

        await transcript.WriteTurn(turn, kind);
        return turn;
    }

    private async Task<Turn> AnswerSomewhere(
        Transcript transcript,
        Turn turn,
        ConversationKind kind,
        AnswerBuilder answer,
        ChannelWriter<TurnEvent> events,
        CancellationToken cancellation)
    {
        var failed = new Failures();
        while (true)
        {
            var node = await Route(transcript, turn.Model!, failed, cancellation);
            using var reservation = view.Reserve(node, turn.Model!);
            try
            {
                var outcome = await Stream(transcript, turn with { Node = node }, kind, answer, events, cancellation);
                return turn with
                {
                    State = TurnState.Completed,
                    Answer = answer.SoFar() with { TokensFit = outcome.TokensFit },
                    Finish = outcome.Finish,
                    Usage = outcome.Usage,
                    Timings = outcome.Timings,
                    Node = node,
                };
            }
            catch (Exception e) when (IsNodeFailure(e) && !cancellation.IsCancellationRequested)
            {
                TurnLog.NodeFailed(logger, node, answer.Tokens.Count, e.GetType().Name, e.Message);
                failed.Add(node, e);
                if (e is not HerdException)
                {
                    view.Lose(node);
                }
            }
        }
    }

    private async Task<string> ChooseModel(string? wanted, CancellationToken cancellation)
    {
        var served = await WaitFor(() => view.Models is { Count: > 0 } models ? models : null, cancellation)
            ?? throw NoNode("any model");
        return (wanted ?? (served.Count == 1 ? served[0].Id : null)) switch
        {
            null => throw new HerdException(
                HerdError.InvalidArgument, $"Several models are served ({view.ModelNames}); say which to use.", "model"),
            var id when view.Nodes.Any(node => node.Models.Any(model => model.Id == id)) => id,
            var id => throw view.NotServed(id),
        };
    }

    /// <summary>Chooses a node; when none can take the turn, waits a while for one, be it one that failed before.</summary>
    private async Task<string> Route(Transcript transcript, string model, Failures failed, CancellationToken cancellation)
    {
        string? Choose() => Router.Choose(view.Candidates(model), transcript.Conversation!.Home, failed.Nodes);

        if (Choose() is { } node)
        {
            return node;
        }

        if (failed.Overload is { } overload)
        {
            throw overload;
        }

        if (failed.Attempts >= MaxAttempts)
        {
            throw NoNode($"the model '{model}'").With("attempts", failed.Attempts);
        }

        failed.Nodes.Clear();
        return await WaitFor(Choose, cancellation, atNextChange: true) ?? throw NoNode($"the model '{model}'");
    }

    /// <summary>Waits until the cluster is such that something is found, or patience ends.</summary>
    private async Task<T?> WaitFor<T>(Func<T?> find, CancellationToken cancellation, bool atNextChange = false)
        where T : class
    {
        for (var started = time.GetTimestamp(); ; atNextChange = false)
        {
            var changed = view.Changed;
            var found = atNextChange ? null : find();
            var left = Patience - time.GetElapsedTime(started);
            if (found is not null || left <= TimeSpan.Zero)
            {
                return found;
            }

            await changed.WaitOrTimeout(left, time, cancellation);
        }
    }

    private static HerdException NoNode(string what) => new(
        HerdError.Unavailable, $"No node is there that serves {what} and takes work. Try again later.");

    private async Task<GenerationOutcome> Stream(
        Transcript transcript,
        Turn turn,
        ConversationKind kind,
        AnswerBuilder answer,
        ChannelWriter<TurnEvent> events,
        CancellationToken cancellation)
    {
        var node = turn.Node!;
        var left = transcript.Conversation!.Home;
        var epoch = await transcript.Settle(node, kind);
        if (left is not null && left != node)
        {
            Session(transcript, left, turn.Model!).Release(epoch).Ignore();
        }

        events.TryWrite(new TurnEvent { Started = new TurnStarted(turn.Id, turn.Model!, node) });
        var request = new SessionRequest
        {
            Epoch = epoch,
            Messages = History.Prompt(transcript.Conversation.System, transcript.Conversation.Turns, turn.Model!),
            Produced = [.. answer.Tokens],
            Settings = turn.Settings,
            SamplerState = answer.SamplerState,
        };
        await foreach (var update in Session(transcript, node, turn.Model!).Generate(request, cancellation))
        {
            answer.Append(update);
            if (update.Result is { } outcome)
            {
                return outcome;
            }
        }

        throw new EnumerationAbortedException($"The node {node} ended the answer without a result.");
    }

    private ISessionGrain Session(Transcript transcript, string node, string model) =>
        grains.GetGrain<ISessionGrain>(GrainKey.Session(node, transcript.Tenant, transcript.Id, model));

    /// <summary>The nodes that failed this turn since it last waited.</summary>
    private sealed class Failures
    {
        public HashSet<string> Nodes { get; } = [];

        public int Attempts { get; private set; }

        /// <summary>Set when a node that works has too much to do: waiting would only add to it.</summary>
        public HerdException? Overload { get; private set; }

        public void Add(string node, Exception exception)
        {
            Nodes.Add(node);
            Attempts++;
            Overload ??= exception is HerdException { Error: HerdError.Overloaded } overload ? overload : null;
        }
    }

    /// <summary>What says that the node, and not the turn, is at fault.</summary>
    private static bool IsNodeFailure(Exception exception) => exception switch
    {
        HerdException herd => herd.Error is HerdError.Unavailable or HerdError.Overloaded,
        OrleansException or TimeoutException or OperationCanceledException => true,
        _ => false,
    };
}

internal static partial class TurnLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Warning, Message = "Node {Node} failed after {Tokens} tokens of an answer ({Kind}: {Reason}); it goes on elsewhere")]
    public static partial void NodeFailed(ILogger logger, string node, int tokens, string kind, string reason);
}
