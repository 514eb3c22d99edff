using System.Diagnostics;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Herd.Grains.Telemetry;

namespace Herd.Grains.Conversations;

/// <summary>
/// One attempt at an answer, at one node: bring the KV cache there if that is the cheapest, settle under an epoch of its own,
/// free what is left behind, stream; until the answer is over, or the node should be left.
/// </summary>
internal sealed class TurnAttempt(ClusterView view, IGrainFactory grains, TimeProvider time)
{
    /// <summary>How many times longer than foreseen bringing a KV cache may take, and what it may take in any case.</summary>
    private const double PullPatience = 4;
    private static readonly TimeSpan LeastPullTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RecallTime = TimeSpan.FromSeconds(2);

    /// <returns>How the answer ended; null when <paramref name="leave"/> told to leave the node.</returns>
    public async Task<GenerationOutcome?> Run(
        Transcript transcript,
        Turn turn,
        Retention kind,
        AnswerBuilder answer,
        Task<PlacementReason> leave,
        TurnEvents events,
        CancellationToken cancellation)
    {
        var node = turn.Node!;
        using var span = Spans.Begin("generate", ActivityKind.Client)?.SetTag("herd.node", node).SetTag("gen_ai.request.model", turn.Model);
        var (left, soFar) = (transcript.Conversation!.Home, answer.SoFar());
        var epoch = answer.Epoch = await transcript.AcquireEpoch(node, kind, begun: turn with { Answer = soFar });
        if (left is not null && left != node)
        {
            Release(transcript, left, turn.Model!, epoch).Ignore();
        }

        events.Write(new TurnEvent { Started = new TurnStarted(turn.Id, turn.Model!, node) });
        var request = new SessionRequest
        {
            Epoch = epoch,
            Messages = History.Prompt(transcript.Conversation.System, transcript.Conversation.Turns, turn.Model!),
            Produced = soFar.Tokens,
            ProducedText = soFar.Text,
            Settings = turn.Settings,
            SamplerState = answer.SamplerState,
            Turn = turn.Id,
            Trace = Spans.Current,
        };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var updates = Session(transcript, node, turn.Model!).Generate(request, ended.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = Task.FromResult(false);
        try
        {
            while (true)
            {
                next = updates.MoveNextAsync().AsTask();
                if (await Task.WhenAny(next, leave) == leave && !next.IsCompletedSuccessfully)
                {
                    span?.SetTag("herd.left", (await leave).ToString());
                    return null;
                }

                if (!await next)
                {
                    throw new EnumerationAbortedException($"The node {node} ended the answer without a result.");
                }

                answer.Append(updates.Current);
                if (updates.Current.Result is { } outcome)
                {
                    return outcome;
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
            ended.Cancel();
            await Task.WhenAny(End(updates, next), leave);
        }
    }

    /// <summary>Brings the KV cache of a conversation to a node from its home, which keeps it until the epoch rises.</summary>
    public async Task<KvMove?> PullKv(Transcript transcript, string model, PlacementDecision placement, CancellationToken cancellation)
    {
        if (placement.Home is not { } home || home == placement.Node || placement.Chosen is not { Origin: KvOrigin.Pull } forecast
            || view.Find(home) is not { Link.Length: > 0 } source)
        {
            return null;
        }

        using var span = Spans.Begin("pull", ActivityKind.Client)?.SetTag("herd.node", placement.Node).SetTag("herd.home", home);
        var patience = TimeSpan.FromSeconds(PullPatience * forecast.Kv) + LeastPullTime;
        using var timeout = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            var from = GrainKey.Session(home, transcript.Tenant, transcript.Id, model);
            var move = await Session(transcript, placement.Node, model).Pull(source.Link, from, either.Token).WaitAsync(either.Token);
            span?.SetTag("herd.kv.tokens", move.Tokens).SetTag("herd.kv.bytes", move.Bytes);
            return move;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && TurnFailures.IsNodeFault(e))
        {
            span.Fail(e);
            return new KvMove(0, 0, patience.TotalSeconds, e is OperationCanceledException ? "it took too long" : e.Message);
        }
    }

    /// <summary>
    /// Asks the home for what it produced of a turn that another owner of the conversation began, such as a gateway that died;
    /// what that one delivered is among it. It is asked even where this gateway has not heard of it yet, or no longer does: nobody
    /// else knows.
    /// </summary>
    /// <returns>Null when the home knows nothing of it, or cannot say.</returns>
    public async Task<GenerationEvent?> FetchReplay(Transcript transcript, Turn turn, Retention kind)
    {
        if (transcript.Conversation!.Home is not { } home)
        {
            return null;
        }

        try
        {
            var epoch = await transcript.AcquireEpoch(home, kind);
            return await Session(transcript, home, turn.Model!).FetchReplay(epoch, turn.Id).WaitAsync(RecallTime, time);
        }
        catch (Exception e) when (TurnFailures.IsNodeFault(e))
        {
            return null;
        }
    }

    public ISessionGrain Session(Transcript transcript, string node, string model) =>
        grains.GetReachableGrain<ISessionGrain>(GrainKey.Session(node, transcript.Tenant, transcript.Id, model));

    private async Task Release(Transcript transcript, string node, string model, long epoch) =>
        await Session(transcript, node, model).Release(epoch);

    /// <summary>Ends an enumeration of which a call may be under way, at a node that may not answer.</summary>
    private static async Task End(IAsyncEnumerator<GenerationEvent> updates, Task next)
    {
        await next.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        try
        {
            await updates.DisposeAsync();
        }
        catch (Exception e) when (TurnFailures.IsNodeFault(e))
        {
            // The node is gone, and the enumeration with it.
        }
    }
}
