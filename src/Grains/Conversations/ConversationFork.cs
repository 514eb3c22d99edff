using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations;

/// <summary>Creates a conversation that begins with the turns of another one.</summary>
internal static class ConversationFork
{
    /// <summary>
    /// Copies the turns up to the given one. The copy's home is the original's, which has the KV cache of the shared
    /// beginning. Its epochs are its own.
    /// </summary>
    /// <exception cref="HerdException">The turn does not exist, or has no answer.</exception>
    public static Conversation Create(Conversation source, string id, string? lastTurn, DateTimeOffset now)
    {
        var turns = source.Turns.ToList();
        var last = lastTurn is null ? turns.FindLastIndex(HasEnded) : turns.FindIndex(turn => turn.Id == lastTurn);
        if (lastTurn is not null && (last < 0 || !HasEnded(turns[last])))
        {
            throw new HerdException(
                HerdError.InvalidArgument,
                last < 0
                    ? ConversationErrors.NoTurn(source.Id, lastTurn)
                    : $"The turn '{lastTurn}' has no answer yet. Fork at one that is answered.",
                "last_turn_id");
        }

        return source with
        {
            Id = id,
            Retention = Retention.Durable,
            Created = now,
            Epoch = 0,
            Home = last < 0 ? null : source.Home,
            Turns = turns[..(last + 1)],
        };
    }

    private static bool HasEnded(Turn turn) => turn.State is TurnState.Completed or TurnState.Cancelled;
}
