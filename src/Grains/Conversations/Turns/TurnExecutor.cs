using System.Runtime.ExceptionServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// Answers a turn that was accepted: (1) choose the model; (2) if an earlier owner began the turn, fetch what the home
/// produced; (3) route it and attempt the answer on that node, until an attempt completes it; (4) store the turn.
/// When a node fails or drains, the next attempt continues behind the tokens so far: the caller sees a pause.
/// </summary>
/// <remarks>
/// Errors of the request, such as a prompt that is too long, fail the turn at the first attempt. A turn that fails node
/// after node is no error of the request before <see cref="PoisonTurns"/> says so.
/// </remarks>
internal sealed class TurnExecutor(
    Router router,
    TurnRouter turnRouter,
    SessionClient sessions,
    TurnAttempt attempt,
    FailedAttempts failed,
    PoisonTurns poison,
    ILogger<TurnExecutor> logger)
{
    /// <returns>The turn as it is stored: completed, or cancelled with the answer so far.</returns>
    /// <exception cref="HerdException">The turn failed and is stored so, or another owner has it.</exception>
    public async Task<Turn> Run(TurnContext context)
    {
        try
        {
            context.UseModel(await turnRouter.ChooseModel(context.Turn.Model, context.Cancellation));
            if (!context.IsNew && await sessions.FetchReplayBuffer(context.Transcript, context.Turn) is { } produced)
            {
                context.CatchUp(produced);
            }

            // The caller may have received more of the answer than the store and the home have.
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
            await context.Store();
            throw;
        }

        await context.Store();
        return context.Turn;
    }

    private async Task RunAttempts(TurnContext context)
    {
        for (var reason = PlacementReason.Turn; ;)
        {
            using var suspicion = await poison.Examine(context);
            var placement = suspicion?.Placement ?? await turnRouter.Route(context, reason);

            // Turns that are routed meanwhile count this one.
            using var reservation = router.Reserve(
                placement.Node, context.Model, placement.Chosen?.Kv ?? 0, TurnRouter.Prompt(context, placement));
            var outcome = await attempt.Run(context, placement);
            switch (outcome.Status)
            {
                case AttemptStatus.Completed:
                    suspicion?.Acquit();
                    context.Complete(outcome.Result!);
                    return;

                case AttemptStatus.Cancelled:
                    context.Cancel();
                    return;

                case AttemptStatus.NodeFailed:
                    reason = PlacementReason.NodeFailed;
                    await failed.Record(context, suspicion, placement.Node, outcome.Fault);
                    break;

                case AttemptStatus.NodeDraining:
                    reason = PlacementReason.NodeDrains;
                    TurnLog.Left(logger, placement.Node, reason, context.Answer.Tokens.Count);
                    break;

                case AttemptStatus.PullFailed:
                    // Nothing was generated. The home has the KV cache, so the answer begins there without a replay.
                    context.Failures.Excluded.Add(placement.Node);
                    break;

                case AttemptStatus.Fenced:
                    // The caller's next try goes to the new owner.
                    ExceptionDispatchInfo.Throw(outcome.Fault!);
                    break;
            }
        }
    }

    /// <summary>True if another owner has the turn, or the store cannot say who has. Then nothing is stored.</summary>
    private static bool MayHaveAnotherOwner(HerdException e) =>
        e.Error is HerdError.Conflict or HerdError.Fenced or HerdError.StoreUnavailable;
}
