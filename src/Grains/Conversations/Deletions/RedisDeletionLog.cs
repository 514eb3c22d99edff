using Herd.Contracts;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Conversations.Deletions;

/// <summary>The deletions in a sorted set, scored by the store's time: docs/stored-state.md.</summary>
internal sealed class RedisDeletionLog(StoreConnection store) : IDeletionLog
{
    public const string Key = "herd:deleted";

    /// <summary>The beginning of a conversation's key. The rest is the entry of its deletion.</summary>
    public const string ConversationPrefix = "herd:conversation:";

    /// <summary>
    /// Records a deletion, and removes entries that are older than 8 days. Keys: the conversation, the deletions.
    /// </summary>
    public const string RecordScript = $$"""
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - 8 * 24 * 3600 * 1000))
        local entry = string.sub(KEYS[1], string.len('{{ConversationPrefix}}') + 1)
        redis.call('ZADD', KEYS[2], string.format('%.0f', now), entry)
        """;

    public async Task<IReadOnlyList<Deletion>> Read(long since)
    {
        var entries = await store.Database.SortedSetRangeByScoreWithScoresAsync(Key, since);
        return
        [
            .. from entry in entries
               let parts = GrainKey.Split(entry.Element.ToString())
               select new Deletion(parts[0], parts[1], (long)entry.Score),
        ];
    }
}
