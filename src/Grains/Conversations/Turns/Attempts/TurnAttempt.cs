using System.Diagnostics;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Routing;
using Herd.Grains.Telemetry;

namespace Herd.Grains.Conversations.Turns.Attempts;

/// <summary>
/// One attempt at an answer on one node: (1) pull the KV cache if that is cheaper than a replay; (2) acquire the epoch;
/// (3) free the session at the old home; (4) stream, until the answer is complete or the node is unusable.
/// </summary>
/// <remarks>
/// What happens to the node, the owner or the caller is an outcome. Errors of the request are exceptions: the prompt is
/// too long, or the caller reads too slowly. A store that is away ends no attempt: its writes wait.
/// </remarks>
internal sealed class TurnAttempt(NodeRegistry registry, SessionClient sessions, FailoverMonitor monitor)
{
    /// <exception cref="HerdException">The request is at fault. Another attempt would not help.</exception>
    public async Task<AttemptOutcome> Run(TurnContext context, PlacementDecision placement)
    {
        using var watch = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        try
        {
            var pull = await sessions.PullIfCheaper(
                context.Transcript, context.Model, placement, context.Cancellation);
            context.RecordPlacement(placement with { Pull = pull });

            // Without a usable home, this node replays the turn.
            if (pull is { Failure: not null } && IsUsable(placement.Home, context.Failures))
            {
                return new AttemptOutcome(AttemptStatus.PullFailed);
            }

            var unusable = monitor.WaitUntilNodeUnusable(context, placement.Node, watch.Token);
            return await Stream(context, placement.Node, unusable);
        }
        catch (Exception) when (context.Cancellation.IsCancellationRequested)
        {
            return new AttemptOutcome(AttemptStatus.Cancelled);
        }
        catch (Exception e) when (TurnFailures.IsNodeFault(e))
        {
            return new AttemptOutcome(AttemptStatus.NodeFailed, Fault: e);
        }
        catch (HerdException e) when (e.Error is HerdError.Conflict or HerdError.Fenced)
        {
            return new AttemptOutcome(AttemptStatus.Fenced, Fault: e);
        }
        finally
        {
            watch.Cancel();
        }
    }

    private async Task<AttemptOutcome> Stream(TurnContext context, string node, Task<AttemptStatus> unusable)
    {
        using var span = Spans.Begin("generate", ActivityKind.Client)
            ?.SetTag("herd.node", node).SetTag("gen_ai.request.model", context.Model);
        var request = await AcquireEpoch(context, node);
        context.Events.Write(new TurnEvent { Started = new TurnStarted(context.Turn.Id, context.Model, node) });

        using var generation = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        var updates = sessions.Session(context.Transcript, node, context.Model)
            .Generate(request, generation.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = Task.FromResult(false);
        try
        {
            while (true)
            {
                next = updates.MoveNextAsync().AsTask();
                if (await Task.WhenAny(next, unusable) == unusable && !next.IsCompletedSuccessfully)
                {
                    // The call of a node that is frozen or was killed may never return.
                    var status = await unusable;
                    span?.SetTag("herd.left", status.ToString());
                    return new AttemptOutcome(status);
                }

                if (!await next)
                {
                    throw new EnumerationAbortedException($"The node {node} ended the answer without a result.");
                }

                context.Append(updates.Current);
                if (updates.Current.Result is { } result)
                {
                    return new AttemptOutcome(AttemptStatus.Completed, result);
                }
            }
        }
        catch (Exception e)
        {
            span.Fail(e);
            throw;
        }
        finally
        {
            generation.Cancel();
            await Task.WhenAny(End(updates, next), unusable);
        }
    }

    /// <summary>
    /// Makes the node the home, under an epoch of its own. The new home is stored with the answer so far.
    /// </summary>
    private async Task<SessionRequest> AcquireEpoch(TurnContext context, string node)
    {
        var (oldHome, soFar) = (context.Transcript.Conversation!.Home, context.Answer.SoFar());
        var begun = context.Turn with { Answer = soFar, Usage = context.UsageSoFar };
        var epoch = context.Answer.Epoch = await context.Transcript.AcquireEpoch(node, begun: begun);
        if (oldHome is not null && oldHome != node)
        {
            sessions.Release(context.Transcript, oldHome, context.Model, epoch);
        }

        var conversation = context.Transcript.Conversation;
        return new SessionRequest
        {
            Epoch = epoch,
            Messages = History.Prompt(conversation.System, conversation.Turns, context.Model),
            Produced = soFar.Tokens,
            ProducedText = soFar.Text,
            Settings = context.Turn.Settings,
            SamplerState = context.Answer.SamplerState,
            Turn = context.Turn.Id,
            Trace = Spans.Current,
        };
    }

    private bool IsUsable(string? node, TurnFailures failures) =>
        registry.Find(node) is { State: NodeState.Ready } && !failures.Excluded.Contains(node!);

    /// <summary>Ends an enumeration with a call under way, at a node that may not respond.</summary>
    private static async Task End(IAsyncEnumerator<GenerationEvent> updates, Task next)
    {
        await next.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        try
        {
            await updates.DisposeAsync();
        }
        catch (Exception e) when (TurnFailures.IsNodeFault(e))
        {
            // The enumeration ended with its node.
        }
    }
}
