namespace Herd.Grains.Conversations.Deletions;

/// <summary>
/// The deletions of the last days. A deletion is recorded together with it, in one write. Copies of conversations
/// follow the log, also those on nodes that were away meanwhile.
/// </summary>
internal interface IDeletionLog
{
    /// <summary>The deletions since a time, that included.</summary>
    /// <param name="since">In Unix milliseconds of the store's clock; 0 for all.</param>
    Task<IReadOnlyList<Deletion>> Read(long since);
}

/// <summary>The deletion of a conversation, or of turns of it.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Conversation">The conversation's id.</param>
/// <param name="At">The time by the store's clock, in Unix milliseconds.</param>
internal sealed record Deletion(string Tenant, string Conversation, long At)
{
    /// <summary>
    /// The longest age of a KV cache that is not used. It is less than the age up to which deletions are kept, so that
    /// no older copy of what was deleted is left.
    /// </summary>
    public static readonly TimeSpan MaxIdle = TimeSpan.FromDays(7);
}
