using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// The store of conversations. Every write names the revision that it follows, so of two owners only one can write.
/// </summary>
public interface IConversationStore
{
    /// <returns>Null if there is no such conversation.</returns>
    Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation);

    /// <returns>The revision and the last writer; null if there is no such conversation.</returns>
    Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation);

    /// <summary>Writes a conversation's head and its turns from one on. Earlier turns stay as they are.</summary>
    /// <param name="tenant">The tenant of the conversation.</param>
    /// <param name="expected">The version that was read or written last; null creates the conversation.</param>
    /// <param name="conversation">The new version.</param>
    /// <param name="firstTurn">The first turn that is new or changed.</param>
    /// <param name="owner">
    /// The unique id of the writer. If an earlier write of the same owner was not confirmed but was stored, this write
    /// is no conflict.
    /// </param>
    /// <param name="isAccepted">True for a write that its caller was told of: no limit refuses it.</param>
    /// <returns>The stored version.</returns>
    /// <exception cref="ConversationConflictException">
    /// Another owner has written since, or the conversation exists already.
    /// </exception>
    /// <exception cref="StoredBytesException">It would exceed the tenant's limit.</exception>
    Task<StoredConversation> Write(
        string tenant,
        StoredConversation? expected,
        Conversation conversation,
        int firstTurn,
        string owner,
        bool isAccepted = false);

    Task Delete(string tenant, string id);

    /// <summary>
    /// Reserves a place for a new conversation, so that creations at the same time, at all gateways, keep the limit.
    /// The place is the conversation's once it is created; one that is not used is free again after a minute.
    /// </summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="id">The id of the conversation. It may reserve its place again.</param>
    /// <param name="limit">The maximum of the tenant's conversations.</param>
    /// <returns>False if all places are taken.</returns>
    Task<bool> TryReserve(string tenant, string id, int limit);

    /// <summary>Lists conversations without their turns, newest first.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="size">The maximum number to return.</param>
    /// <param name="after">The <see cref="ConversationPage.Next"/> of the page before; null for the first.</param>
    /// <exception cref="FormatException">The token is not from this store.</exception>
    Task<ConversationPage> List(string tenant, int size, string? after);
}

/// <summary>A conversation and its revision.</summary>
public sealed record StoredConversation(Conversation Conversation, long Revision);

/// <param name="Revision">The number of writes of the conversation.</param>
/// <param name="Owner">The id of the last writer.</param>
public sealed record LastWrite(long Revision, string Owner);

/// <param name="Conversations">Without their turns.</param>
/// <param name="Next">Null on the last page.</param>
public sealed record ConversationPage(IReadOnlyList<Conversation> Conversations, string? Next);

/// <summary>Another owner has the conversation now.</summary>
public sealed class ConversationConflictException(string id)
    : Exception($"Another gateway has written the conversation {id} in the meantime.");
