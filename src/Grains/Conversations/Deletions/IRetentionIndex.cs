namespace Herd.Grains.Conversations.Deletions;

/// <summary>
/// The durable conversations of all tenants, by the time at which they were known to be used last. That is a hint: the
/// conversation itself knows. An answer costs no write here.
/// </summary>
public interface IRetentionIndex
{
    /// <summary>
    /// Begins a sweep, unless another gateway has begun one since a time. Adds conversations that are not here, such as
    /// those of earlier versions, once a day.
    /// </summary>
    /// <param name="interval">The time between two sweeps.</param>
    Task<bool> TryBegin(TimeSpan interval);

    /// <summary>Conversations that may have been unused since a time, the oldest first.</summary>
    /// <param name="since">The time.</param>
    /// <param name="count">The most to return.</param>
    Task<IReadOnlyList<StoredName>> FindUnused(DateTimeOffset since, int count);

    /// <summary>Counts those.</summary>
    Task<long> CountUnused(DateTimeOffset since);

    /// <summary>Records the time of a conversation's latest use.</summary>
    Task Record(StoredName name, DateTimeOffset used);

    /// <summary>Removes a conversation that does not exist.</summary>
    Task Remove(StoredName name);
}

/// <summary>The name of a stored conversation.</summary>
public sealed record StoredName(string Tenant, string Conversation);
