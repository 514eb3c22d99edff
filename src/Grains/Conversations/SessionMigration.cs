using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Conversations;

/// <summary>
/// Moves a conversation's KV cache at rest: (1) choose where to; (2) copy it there while the old home still owns it; (3) raise
/// the epoch and store the new home; (4) free it at the old one. Until (3) nothing has changed. A conversation whose turn is not
/// answered is not at rest, though nobody answers it here: its gateway is gone and its caller about to come back, or it is on the
/// other side of a partition. It moves only off a node that drains, and what that one has of the answer is stored before.
/// </summary>
internal sealed class SessionMigration(
    NodeRegistry registry,
    Router router,
    TurnRouter turnRouter,
    SessionClient sessions,
    ILogger<SessionMigration> logger)
{
    /// <returns>Null when it stays: no node takes it, replaying there is no dearer, or the copy failed.</returns>
    public async Task<PlacementDecision?> Run(Transcript transcript, string? to, PlacementReason reason, CancellationToken cancellation)
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

        var excluded = registry.Nodes.Select(node => node.Node).Where(node => node == home || (to is not null && node != to)).ToHashSet();
        var request = turnRouter.DescribeRoute(transcript, model, produced: 0, reason) with { Excluded = excluded };
        if (router.Route(model, request) is not { } placement)
        {
            return null;
        }

        using var reservation = router.Reserve(placement.Node, model, placement.Chosen?.Kv ?? 0);
        if (await sessions.PullIfCheaper(transcript, model, placement, cancellation) is not { Failure: null } move)
        {
            return null;
        }

        placement = placement with { Move = move };
        var epoch = await transcript.AcquireEpoch(placement.Node, placement);
        sessions.Release(transcript, home, model, epoch);
        SessionMigrationLog.Moved(logger, home, placement.Node, move.Tokens, move.Bytes, move.Seconds, reason);
        return placement;
    }

    /// <summary>Stores what the home has of an answer; what nodes remember of one does not move.</summary>
    private async Task SaveAnswerSoFar(Transcript transcript, Turn begun)
    {
        var model = begun.Model ?? (registry.Find(transcript.Conversation!.Home) is { Models: [var served, ..] } ? served.Id : null);
        if (model is not null && await sessions.FetchReplay(transcript, begun with { Model = model }) is { } produced)
        {
            var answer = new AnswerBuilder(begun, transcript.Conversation!.Epoch, AnswerOffset.Start, new TurnEvents());
            answer.CatchUp(produced);
            await transcript.WriteTurn(begun with { Answer = answer.SoFar() });
        }
    }
}

internal static partial class SessionMigrationLog
{
    [LoggerMessage(EventId = 510, Level = LogLevel.Debug, Message = "A session moved from {From} to {To}: {Tokens} tokens, {Bytes} bytes in {Seconds:F3} s ({Reason})")]
    public static partial void Moved(ILogger logger, string from, string to, int tokens, long bytes, double seconds, PlacementReason reason);
}
