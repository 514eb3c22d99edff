using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Grains.Telemetry;
using Herd.Inference.Text;

namespace Herd.Grains.Conversations.Turns;

/// <summary>Chooses the model and the node of a turn. Waits for a while if there is none.</summary>
internal sealed class TurnRouter(NodeRegistry registry, Router router, Pools pools, TimeProvider time)
{
    /// <summary>The time that a turn waits for a node.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    /// <summary>The requested model, or the only one that is served.</summary>
    public async Task<string> ChooseModel(string? wanted, CancellationToken cancellation)
    {
        var served = await WaitFor(() => registry.Models is { Count: > 0 } models ? models : null, cancellation)
            ?? throw RoutingErrors.NoNodeReady("any model");
        return (wanted ?? (served.Count == 1 ? served[0].Id : null)) switch
        {
            null => throw RoutingErrors.SeveralServed(registry.Models),
            var id
                when registry.Nodes.SelectMany(node => node.Models).Concat(served).Any(model => model.Id == id) => id,
            var id => throw RoutingErrors.NotServed(id, registry.Models),
        };
    }

    /// <summary>
    /// Routes a turn. If no node can run it, waits for one for a while; nodes that failed before count again then.
    /// </summary>
    /// <exception cref="HerdException">No node came in time, or the turn failed on too many nodes.</exception>
    public Task<PlacementDecision> Route(TurnContext context, PlacementReason reason) =>
        Route(context.Model, () => DescribeRoute(context, reason), context.Failures, context.Cancellation);

    /// <summary>Routes a turn to one node, which replays it.</summary>
    /// <returns>Null if the node cannot run it.</returns>
    public PlacementDecision? RouteTo(TurnContext context, string node) => router.Route(
        context.Model,
        DescribeRoute(context, PlacementReason.NodeFailed) with
        {
            Home = null,
            Excluded = registry.Nodes.Select(other => other.Node).Where(other => other != node).ToHashSet(),
        });

    /// <summary>True if another node than the home takes the turn.</summary>
    public bool CanRunElsewhere(TurnContext context) => !context.IsOnTrial
        && router.Route(context.Model, DescribeRoute(context, PlacementReason.NodeDrains)) is not null;

    internal async Task<PlacementDecision> Route(
        string model, Func<RouteRequest> describe, TurnFailures failures, CancellationToken cancellation)
    {
        PlacementDecision? Choose() => router.Route(model, describe() with { Excluded = failures.Excluded });

        using var span = Spans.Begin("route");
        if (Choose() is not { } placement)
        {
            failures.ThrowIfHopeless(model);
            failures.Excluded.Clear();
            using var hold = pools.Hold(model);
            placement = await WaitFor(Choose, cancellation, pools.MaxHold(model), atNextChange: true)
                ?? throw RoutingErrors.NoNodeReady($"the model '{model}'");
        }

        span.Chose(placement);
        return placement;
    }

    /// <summary>The prompt that a placement sends to its node.</summary>
    public static SentPrompt Prompt(TurnContext context, PlacementDecision placement) => new(
        context.Transcript.Tenant, context.Turn.Settings.Priority, placement.Chosen?.Tokens ?? 0);

    private RouteRequest DescribeRoute(TurnContext context, PlacementReason reason) =>
        DescribeRoute(context.Transcript, context.Model, context.Answer.Tokens.Count, reason);

    /// <summary>Describes a turn for the router.</summary>
    /// <param name="transcript">The conversation; the turn is its last one.</param>
    /// <param name="model">The turn's model.</param>
    /// <param name="produced">Tokens of the answer so far.</param>
    /// <param name="reason">The reason of the placement.</param>
    public RouteRequest DescribeRoute(Transcript transcript, string model, int produced, PlacementReason reason)
    {
        var conversation = transcript.Conversation!;
        var last = conversation.Turns.LastOrDefault(
            turn => turn is { State: TurnState.Completed, Usage: not null } && turn.Model == model);
        var uncounted = conversation.Turns
            .SkipWhile(turn => last is not null && turn.Id != last.Id).Skip(last is null ? 0 : 1);
        var cached = last is null ? 0 : last.Usage!.PromptTokens + last.Usage.CompletionTokens;
        var served = registry.Models.FirstOrDefault(served => served.Id == model);
        var perToken = served?.CharactersPerToken is > 0 and var measured ? measured : TokenEstimate.CharactersPerToken;
        var perMessage = served?.TokensPerMessage ?? 0;
        var fresh = uncounted.Sum(
            turn => perMessage + turn.Input.Sum(message => (int)(message.Text.Length / perToken) + perMessage));
        if (served?.ContextTokens is > 0 and var context)
        {
            // A prompt that is longer is refused or shortened, so no node computes more.
            fresh = Math.Clamp(context - cached, 0, fresh);
        }

        var tokens = cached + fresh + produced + 1;
        var system = conversation.System
            ?? conversation.Turns.Take(1).SelectMany(turn => turn.Input)
                .FirstOrDefault(message => message.Role == Role.System)?.Text;
        return new RouteRequest
        {
            Conversation = GrainKey.Conversation(transcript.Tenant, transcript.Id),
            Reason = reason,
            Tenant = transcript.Tenant,
            Priority = conversation.Turns.Count > 0 ? conversation.Turns[^1].Settings.Priority : default,
            Home = conversation.Home,
            Tokens = tokens,
            CachedTokens = produced > 0 ? tokens - 1 : cached,
            Idle = last is null || produced > 0 ? TimeSpan.Zero : time.GetUtcNow() - EndOf(last),
            Prefix = PromptPrefix.Digest(transcript.Tenant, system),
            PrefixTokens = (int)((system?.Length ?? 0) / perToken),
        };
    }

    private static DateTimeOffset EndOf(Turn turn) =>
        turn.Timings is { } timings ? turn.Created + timings.Queued + timings.Prefill + timings.Decode : turn.Created;

    /// <summary>Searches after each change of the registry, until there is a result or the time is over.</summary>
    private async Task<T?> WaitFor<T>(
        Func<T?> find, CancellationToken cancellation, TimeSpan? maxWait = null, bool atNextChange = false)
        where T : class
    {
        for (var started = time.GetTimestamp(); ; atNextChange = false)
        {
            var changed = registry.Changed;
            var found = atNextChange ? null : find();
            var left = (maxWait ?? MaxWait) - time.GetElapsedTime(started);
            if (found is not null || left <= TimeSpan.Zero)
            {
                return found;
            }

            await changed.WaitOrTimeout(left, time, cancellation);
        }
    }
}
