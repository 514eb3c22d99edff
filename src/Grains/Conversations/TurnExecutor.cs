using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations;

/// <summary>
/// Has a turn answered, wherever that takes: place it, bring the KV cache there, stream. When the node fails or drains, the
/// same again elsewhere with the tokens produced so far, so the caller sees a pause and nothing else.
/// </summary>
internal sealed class TurnExecutor(
    ClusterView view, TurnRouter placements, TurnAttempt stream, ILogger<TurnExecutor> logger)
{
    private const int KeptPlacements = 8;

    /// <summary>Answers a turn that is stored already.</summary>
    /// <returns>The turn as it is stored at the end: completed, or cancelled with what was produced.</returns>
    /// <exception cref="HerdException">There is no answer; the turn is stored as failed.</exception>
    public async Task<Turn> Answer(
        Transcript transcript,
        Turn turn,
        Retention kind,
        TurnStart start,
        TurnEvents events,
        CancellationToken cancellation)
    {
        var answer = new AnswerBuilder(turn, transcript.Conversation!.Epoch, start.Offset, events);
        try
        {
            turn = turn with { Model = await placements.ChooseModel(turn.Model, cancellation) };
            if (!start.IsNew && await stream.FetchReplay(transcript, turn, kind) is { } produced)
            {
                answer.CatchUp(produced);
            }

            answer.ThrowIfLost();
            turn = await AnswerOnSomeNode(transcript, turn, kind, answer, events, cancellation);
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

    private async Task<Turn> AnswerOnSomeNode(
        Transcript transcript,
        Turn turn,
        Retention kind,
        AnswerBuilder answer,
        TurnEvents events,
        CancellationToken cancellation)
    {
        var failures = new TurnFailures();
        var reason = PlacementReason.Turn;
        while (true)
        {
            var placement = await placements.Route(
                turn.Model!, () => placements.DescribeRoute(transcript, turn.Model!, answer.Tokens.Count, reason), failures, cancellation);
            using var reservation = view.Reserve(placement.Node, turn.Model!, placement.Chosen?.Kv ?? 0);
            placement = placement with { Move = await stream.PullKv(transcript, turn.Model!, placement, cancellation) };
            turn = turn with { Node = placement.Node, Placements = [.. (turn.Placements ?? []).TakeLast(KeptPlacements - 1), placement] };
            if (placement.Move is { Failure: not null } && IsReady(placement.Home, failures))
            {
                // What did not come is where it was: there the answer begins sooner than where it would be replayed.
                failures.Nodes.Add(placement.Node);
                continue;
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            try
            {
                var leave = FailoverMonitor.WaitUntilNodeUnusable(view, placement.Node, () => CanRunElsewhere(transcript, turn, answer), over.Token);
                var outcome = await stream.Run(transcript, turn, kind, answer, leave, events, cancellation);
                if (outcome is not null)
                {
                    return turn with
                    {
                        State = TurnState.Completed,
                        Answer = answer.SoFar() with { TokensFit = outcome.TokensFit },
                        Finish = outcome.Finish,
                        Usage = outcome.Usage,
                        Timings = outcome.Timings,
                    };
                }

                reason = await leave;
                TurnLog.Left(logger, placement.Node, reason, answer.Tokens.Count);
            }
            catch (Exception e) when (TurnFailures.IsNodeFault(e) && !cancellation.IsCancellationRequested)
            {
                TurnLog.NodeFailed(logger, placement.Node, answer.Tokens.Count, e.GetType().Name, e.Message);
                reason = PlacementReason.NodeFailed;
                failures.Add(placement.Node, e);
                if (e is not HerdException)
                {
                    view.MarkLost(placement.Node);
                }
            }
            finally
            {
                over.Cancel();
            }
        }
    }

    private bool IsReady(string? node, TurnFailures failures) =>
        view.Find(node) is { State: NodeState.Ready } && !failures.Nodes.Contains(node!);

    /// <summary>Whether another node takes the turn.</summary>
    private bool CanRunElsewhere(Transcript transcript, Turn turn, AnswerBuilder answer) => view.Route(
        turn.Model!,
        placements.DescribeRoute(transcript, turn.Model!, answer.Tokens.Count, PlacementReason.NodeDrains)) is not null;
}

/// <summary>How a turn comes to be answered.</summary>
/// <param name="Offset">What the caller has of the answer.</param>
/// <param name="IsNew">Whether it was never begun before.</param>
internal readonly record struct TurnStart(AnswerOffset Offset, bool IsNew);

internal static partial class TurnLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Warning, Message = "Node {Node} failed after {Tokens} tokens of an answer ({Kind}: {Reason}); it goes on elsewhere")]
    public static partial void NodeFailed(ILogger logger, string node, int tokens, string kind, string reason);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information, Message = "Node {Node} is left ({Reason}) after {Tokens} tokens of an answer; it goes on elsewhere")]
    public static partial void Left(ILogger logger, string node, PlacementReason reason, int tokens);
}
