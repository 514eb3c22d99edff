using System.Runtime.ExceptionServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// The life of a turn after its acceptance: choose the model, resume from what an earlier owner's node produced, then
/// route and attempt, until an attempt completes the answer. When a node fails or drains, the next attempt continues
/// behind the tokens so far, so the caller sees a pause and nothing else.
/// </summary>
internal sealed class TurnExecutor(
    NodeRegistry registry,
    Router router,
    TurnRouter turnRouter,
    SessionClient sessions,
    TurnAttempt attempt,
    ILogger<TurnExecutor> logger)
{
    /// <summary>Answers a turn that is stored already, and stores how it ended.</summary>
    /// <returns>The turn as it is stored: completed, or cancelled with the answer so far.</returns>
    /// <exception cref="HerdException">
    /// There is no answer. The turn is stored as failed, unless another owner has it.
    /// </exception>
    public async Task<Turn> Run(TurnContext context)
    {
        try
        {
            context.UseModel(await turnRouter.ChooseModel(context.Turn.Model, context.Cancellation));
            if (!context.IsNew && await sessions.FetchReplay(context.Transcript, context.Turn) is { } replay)
            {
                context.Answer.CatchUp(replay);
            }

            context.Answer.ThrowIfLost();
            await RunAttempts(context);
        }
        catch (Exception) when (context.Cancellation.IsCancellationRequested)
        {
            context.Cancel();
        }
        catch (HerdException e) when (!MayHaveAnotherOwner(e))
        {
            context.Fail();
            await context.Transcript.WriteTurn(context.Turn);
            throw;
        }

        await context.Transcript.WriteTurn(context.Turn);
        return context.Turn;
    }

    private async Task RunAttempts(TurnContext context)
    {
        for (var reason = PlacementReason.Turn; ;)
        {
            var placement = await turnRouter.Route(context, reason);
            using var reservation = router.Reserve(placement.Node, context.Model, placement.Chosen?.Kv ?? 0);
            var outcome = await attempt.Run(context, placement);
            switch (outcome.Status)
            {
                case AttemptStatus.Completed:
                    context.Complete(outcome.Result!);
                    return;

                case AttemptStatus.Cancelled:
                    context.Cancel();
                    return;

                case AttemptStatus.NodeFailed:
                    reason = PlacementReason.NodeFailed;
                    RecordFailure(context, placement.Node, outcome.Fault);
                    break;

                case AttemptStatus.NodeDraining:
                    reason = PlacementReason.NodeDrains;
                    TurnLog.Left(logger, placement.Node, reason, context.Answer.Tokens.Count);
                    break;

                case AttemptStatus.PullFailed:
                    // The KV cache is still at the home. The answer begins sooner there than with a replay.
                    context.Failures.Excluded.Add(placement.Node);
                    break;

                case AttemptStatus.Fenced:
                    ExceptionDispatchInfo.Throw(outcome.Fault!);
                    break;
            }
        }
    }

    /// <param name="context">The turn.</param>
    /// <param name="node">The node that failed.</param>
    /// <param name="fault">Its exception; null if a report showed the failure. The registry knows it then.</param>
    private void RecordFailure(TurnContext context, string node, Exception? fault)
    {
        if (fault is null)
        {
            TurnLog.Left(logger, node, PlacementReason.NodeFailed, context.Answer.Tokens.Count);
            return;
        }

        TurnLog.NodeFailed(logger, node, context.Answer.Tokens.Count, fault.GetType().Name, fault.Message);
        context.Failures.Add(node, fault);
        if (fault is not HerdException)
        {
            registry.MarkLost(node);
        }
    }

    /// <summary>True if the turn did not fail: another owner has it, or the store cannot say who has.</summary>
    private static bool MayHaveAnotherOwner(HerdException e) =>
        e.Error is HerdError.Conflict or HerdError.Fenced or HerdError.StoreUnavailable;
}
