using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations;

/// <summary>The errors of requests that name a conversation or a turn that does not exist.</summary>
public static class ConversationErrors
{
    /// <param name="id">The requested id.</param>
    /// <param name="parameter">The field that has it.</param>
    public static HerdException NotFound(string id, string parameter = "conversation_id") => new(
        HerdError.ConversationNotFound, $"There is no conversation '{id}'. Check the id, or create one.", parameter);

    /// <param name="id">The conversation's id.</param>
    /// <param name="turn">The requested turn.</param>
    public static HerdException TurnNotFound(string id, string turn) => new(
        HerdError.ConversationNotFound, NoTurn(id, turn), "turn_id");

    /// <param name="limit">The tenant's limit, in bytes.</param>
    internal static HerdException StoredBytes(long limit) => new HerdException(
        HerdError.QuotaExceeded,
        $"The limit of {limit} stored bytes is reached. Delete conversations that are not needed.")
        .With("limit", $"{limit} stored bytes");

    /// <summary>The text of an error about a turn that does not exist.</summary>
    internal static string NoTurn(string id, string turn) =>
        $"The conversation '{id}' has no turn '{turn}'. Read the conversation to see its turns.";
}
