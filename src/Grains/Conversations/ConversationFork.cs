using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations;

/// <summary>A new conversation that begins with the turns of another.</summary>
internal static class ConversationFork
{
    /// <summary>
    /// Takes over the turns up to one. Its home is the other's, where the KV cache of what both begin with is; its epochs
    /// are its own.
    /// </summary>
    /// <exception cref="HerdException">There is no such turn, or it has no answer.</exception>
    public static Conversation Create(Conversation source, string id, string? lastTurn, DateTimeOffset now)
    {
        var turns = source.Turns.ToList();
        var last = lastTurn is null ? turns.FindLastIndex(HasEnded) : turns.FindIndex(turn => turn.Id == lastTurn);
        if (lastTurn is not null && (last < 0 || !HasEnded(turns[last])))
        {
            throw new HerdException(
                HerdError.InvalidArgument,
                last < 0
                    ? $"The conversation '{source.Id}' has no turn '{lastTurn}'."
                    : $"The turn '{lastTurn}' has no answer yet; fork at one that is answered.",
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
