namespace Herd.Contracts.Conversations;

/// <summary>The ids of conversations.</summary>
public static class ConversationId
{
    /// <summary>The prefix of the ids of conversations whose caller keeps the history.</summary>
    public const string CallerKeptPrefix = "http_";
}
