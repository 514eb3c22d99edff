using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations;

/// <summary>
/// Migrates a session at rest: (1) choose the target; (2) copy the KV cache there while the old home still has it; (3)
/// raise the epoch and store the new home; (4) free the session at the old home. Before (3) nothing changes.
/// </summary>
/// <remarks>
/// A conversation with a pending turn is not at rest, even if no turn runs here: its gateway died and its caller is
/// about to resume, or its gateway is on the other side of a partition. It migrates only off a node that drains, after
/// the answer so far was read from that node and stored.
/// </remarks>
internal sealed class SessionMigration(
    NodeRegistry registry,
    Router router,
    TurnRouter turnRouter,
    SessionClient sessions,
    ILogger<SessionMigration> logger)
{
    /// <returns>
    /// Null if the session stays: no node takes it, a replay there is not slower, or the copy failed.
    /// </returns>
    public async Task<PlacementDecision?> Run(
        Transcript transcript, string? target, PlacementReason reason, CancellationToken cancellation)
    {
        if (transcript.Conversation!.Turns is [.., { State: TurnState.Pending } begun])
        {
            if (reason == PlacementReason.Rebalanced)
            {
                return null;
            }

            await SaveAnswerSoFar(transcript, begun);
        }

        var conversation = transcript.Conversation;
        var home = conversation.Home!;
        if (conversation.Turns.LastOrDefault(turn => turn.Usage is not null)?.Model is not { } model)
        {
            return null;
        }

        var excluded = registry.Nodes.Select(node => node.Node)
            .Where(node => node == home || (target is not null && node != target)).ToHashSet();
        var request = turnRouter.DescribeRoute(transcript, model, produced: 0, reason) with { Excluded = excluded };
        if (router.Route(model, request) is not { } placement)
        {
            return null;
        }

        using var reservation = router.Reserve(placement.Node, model, placement.Chosen?.Kv ?? 0);
        if (await sessions.PullIfCheaper(transcript, model, placement, cancellation) is not { Failure: null } pull)
        {
            return null;
        }

        placement = placement with { Pull = pull };
        var epoch = await transcript.AcquireEpoch(placement.Node, placement);
        sessions.Release(transcript, home, model, epoch);
        SessionMigrationLog.Migrated(logger, home, placement.Node, pull.Tokens, pull.Bytes, pull.Seconds, reason);
        return placement;
    }

    /// <summary>Stores the answer so far from the home's replay buffer, which does not migrate.</summary>
    private async Task SaveAnswerSoFar(Transcript transcript, Turn begun)
    {
        var model = begun.Model
            ?? (registry.Find(transcript.Conversation!.Home) is { Models: [var served, ..] } ? served.Id : null);
        if (model is not null
            && await sessions.FetchReplayBuffer(transcript, begun with { Model = model }) is { } produced)
        {
            var epoch = transcript.Conversation!.Epoch;
            var answer = new AnswerBuilder(begun, epoch, AnswerOffset.Start, new TurnEvents());
            answer.CatchUp(produced);
            await transcript.WriteTurn(begun with { Answer = answer.SoFar() });
        }
    }
}

internal static partial class SessionMigrationLog
{
    [LoggerMessage(
        EventId = 510,
        Level = LogLevel.Debug,
        Message = "A session migrated from {From} to {To}: {Tokens} tokens, {Bytes} bytes in {Seconds:F3} s "
            + "({Reason})")]
    public static partial void Migrated(
        ILogger logger, string from, string to, int tokens, long bytes, double seconds, PlacementReason reason);
}
