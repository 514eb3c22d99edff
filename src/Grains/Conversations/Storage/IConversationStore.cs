using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Storage;

/// <summary>Where conversations are kept. Every write is conditional, so two owners can never both write.</summary>
public interface IConversationStore
{
    /// <returns>Null when there is no such conversation.</returns>
    Task<StoredConversation?> Read(string tenant, string id, CancellationToken cancellation);

    /// <returns>How often a conversation has been written, and by whom the last time; null when there is none.</returns>
    Task<LastWrite?> ReadLastWrite(string tenant, string id, CancellationToken cancellation);

    /// <summary>Writes a conversation's head and its turns from one on; earlier turns stay as they are.</summary>
    /// <param name="tenant">Whose conversation.</param>
    /// <param name="expected">What was read or written last; null creates.</param>
    /// <param name="conversation">The conversation from now on.</param>
    /// <param name="firstTurn">The first turn that is new or changed.</param>
    /// <param name="owner">
    /// Who writes, one of a kind. An earlier write of the same owner of which it could not be told whether it landed is no
    /// conflict.
    /// </param>
    /// <returns>What is stored now.</returns>
    /// <exception cref="ConversationConflictException">Somebody else has written since, or it exists already.</exception>
    Task<StoredConversation> Write(
        string tenant, StoredConversation? expected, Conversation conversation, int firstTurn, string owner);

    Task Delete(string tenant, string id);

    /// <summary>How many conversations a tenant has.</summary>
    Task<long> Count(string tenant);

    /// <summary>Lists conversations without their turns, newest first.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="size">Most to return.</param>
    /// <param name="after">The <see cref="ConversationPage.Next"/> of the page before; null for the first.</param>
    /// <exception cref="FormatException">The token is none of this store's.</exception>
    Task<ConversationPage> List(string tenant, int size, string? after);
}

/// <summary>A conversation and how often it has been written.</summary>
public sealed record StoredConversation(Conversation Conversation, long Revision);

/// <param name="Revision">How often a conversation has been written.</param>
/// <param name="Owner">Who has written last.</param>
public sealed record LastWrite(long Revision, string Owner);

/// <param name="Conversations">Without their turns.</param>
/// <param name="Next">Null on the last page.</param>
public sealed record ConversationPage(IReadOnlyList<Conversation> Conversations, string? Next);

/// <summary>Somebody else owns the conversation now.</summary>
public sealed class ConversationConflictException(string id)
    : Exception($"The conversation {id} was written by somebody else in the meantime.");
