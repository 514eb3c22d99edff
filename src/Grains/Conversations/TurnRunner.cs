using System.Threading.Channels;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations;

/// <summary>
/// Has a turn answered, wherever that takes: route, settle there under an epoch of its own, stream. When the node fails,
/// the same again elsewhere with the tokens produced so far, so the caller sees a pause and nothing else.
/// </summary>
internal sealed class TurnRunner(ClusterView view, IGrainFactory grains, ILogger<TurnRunner> logger)
{
    private const int MaxNodes = 4;

    /// <summary>Answers a turn that is stored already.</summary>
    /// <returns>The turn as it is stored at the end: completed, or cancelled with what was produced.</returns>
    /// <exception cref="HerdException">There is no answer; the turn is stored as failed.</exception>
    public async Task<Turn> Answer(
        Transcript transcript, Turn turn, ConversationKind kind, ChannelWriter<TurnEvent> events, CancellationToken cancellation)
    {
        try
        {
            turn = turn with { Model = ChooseModel(turn.Model) };
            var answer = new AnswerBuilder(turn.Answer, events);
            var excluded = new HashSet<string>();
            while (true)
            {
                var node = Route(transcript, turn.Model!, excluded);
                using var reservation = view.Reserve(node, turn.Model!);
                try
                {
                    var outcome = await Stream(transcript, turn, kind, node, answer, events, cancellation);
                    turn = Complete(turn, node, answer, outcome);
                    break;
                }
                catch (Exception e) when (IsNodeFailure(e) && !cancellation.IsCancellationRequested)
                {
                    TurnLog.NodeFailed(logger, node, answer.Tokens.Count, e.GetType().Name, e.Message);
                    excluded.Add(node);
                }
                catch (Exception) when (cancellation.IsCancellationRequested)
                {
                    turn = Cancel(turn, node, answer);
                    break;
                }
            }
        }
        catch (HerdException e) when (e.Error is not (HerdError.Conflict or HerdError.Fenced or HerdError.StoreUnavailable))
        {
            await transcript.WriteTurn(turn with { State = TurnState.Failed }, kind);
            throw;
        }

        await transcript.WriteTurn(turn, kind);
        return turn;
    }

    private string ChooseModel(string? wanted)
    {
        var served = view.Models;
        if (wanted is null)
        {
            return served.Count switch
            {
                1 => served[0].Id,
                0 => throw NoNode("any model"),
                _ => throw new HerdException(
                    HerdError.InvalidArgument,
                    $"Several models are served ({string.Join(", ", served.Select(m => m.Id))}); say which to use.",
                    "model"),
            };
        }

        return view.Nodes.Any(node => node.Models.Any(model => model.Id == wanted))
            ? wanted
            : throw new HerdException(
                HerdError.ModelNotFound,
                $"No node serves the model '{wanted}'. Served: {string.Join(", ", served.Select(m => m.Id))}.",
                "model");
    }

    private string Route(Transcript transcript, string model, HashSet<string> excluded)
    {
        var node = excluded.Count < MaxNodes
            ? Router.Choose(view.Candidates(model), transcript.Conversation!.Home, excluded)
            : null;
        return node ?? throw NoNode($"the model '{model}'").With("tried", string.Join(",", excluded));
    }

    private static HerdException NoNode(string what) => new(
        HerdError.Unavailable, $"No node is there that serves {what} and takes work. Try again later.");

    private async Task<GenerationOutcome> Stream(
        Transcript transcript,
        Turn turn,
        ConversationKind kind,
        string node,
        AnswerBuilder answer,
        ChannelWriter<TurnEvent> events,
        CancellationToken cancellation)
    {
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

    private static Turn Complete(Turn turn, string node, AnswerBuilder answer, GenerationOutcome outcome) => turn with
    {
        State = TurnState.Completed,
        Answer = new Answer(answer.Text, answer.Tokens, outcome.TokensFit),
        Finish = outcome.Finish,
        Usage = outcome.Usage,
        Timings = outcome.Timings,
        Node = node,
    };

    private static Turn Cancel(Turn turn, string node, AnswerBuilder answer) => turn with
    {
        State = TurnState.Cancelled,
        Answer = new Answer(answer.Text, answer.Tokens, true),
        Finish = Finish.Cancelled,
        Node = node,
    };

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
