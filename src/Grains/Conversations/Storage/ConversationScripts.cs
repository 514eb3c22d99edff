using Herd.Grains.Conversations.Deletions;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// The Lua scripts of <see cref="RedisConversationStore"/>: each is a change that happens as a whole.
/// </summary>
internal static class ConversationScripts
{
    /// <summary>The field with the number of the last write.</summary>
    public const string Revision = "revision";

    /// <summary>The fields of turns: this, and the number from 0.</summary>
    public const string TurnPrefix = "turn:";

    /// <summary>
    /// Writes fields if the revision is the expected one, 0 for none. Keys: the hash, the list of deletions, the
    /// tenant's <see cref="ByteCount"/>. Arguments: that revision; seconds until the hash expires, 0 for never; the
    /// first turn to remove, and the one after the last; 1 if turns are deleted; three of <see cref="ByteCount"/>, the
    /// first one empty if nothing is counted; then names and values.
    /// </summary>
    /// <remarks>
    /// One HSET writes all fields, because Garnet logs a script's commands one by one, and a server that is killed must
    /// have all of them or none. At most 4000 values fit on Lua's stack: an imported conversation with thousands of
    /// turns takes several HSETs, the head in the last one.
    /// </remarks>
    public const string Write = $$"""
        if (redis.call('HGET', KEYS[1], '{{Revision}}') or '0') ~= ARGV[1] then return 0 end
        local fields = {}
        for i = 9, #ARGV do fields[#fields + 1] = ARGV[i] end
        if ARGV[6] ~= '' then
        {{ByteCount.WriteScript}}
        fields[#fields + 1] = 'bytes'
        fields[#fields + 1] = string.format('%.0f', bytes)
        end
        if ARGV[5] == '1' then
        {{RedisDeletionLog.RecordScript}}
        end
        for i = 1, #fields, 4000 do redis.call('HSET', KEYS[1], unpack(fields, i, math.min(i + 3999, #fields))) end
        for turn = tonumber(ARGV[3]), tonumber(ARGV[4]) - 1 do redis.call('HDEL', KEYS[1], '{{TurnPrefix}}' .. turn) end
        if ARGV[2] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
        return 1
        """;

    /// <summary>
    /// Reserves a place unless all are taken: listed conversations and reservations count. Keys: the list, the
    /// reservations. Arguments: the id; the limit; the time; the time before which reservations no longer count.
    /// </summary>
    public const string Reserve = """
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4])
        if redis.call('ZSCORE', KEYS[1], ARGV[1]) or redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 1 end
        if redis.call('ZCARD', KEYS[1]) + redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
        redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
        return 1
        """;

    /// <summary>
    /// Moves a conversation from the reservations to the list, so that it counts once. Keys as of
    /// <see cref="Reserve"/>, and <see cref="RedisRetentionIndex"/>. Arguments: the id; the time of its creation;
    /// its entry in that index.
    /// </summary>
    public const string Enter = """
        redis.call('ZADD', KEYS[3], ARGV[2], ARGV[3])
        redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
        redis.call('ZREM', KEYS[2], ARGV[1])
        """;

    /// <summary>
    /// Deletes a conversation. Keys: the hash, the list of deletions, the tenant's list, the index for retention, the
    /// tenant's <see cref="ByteCount"/>. Arguments: the id; its entry in that index. The deletion is recorded first,
    /// because Garnet logs a script's commands one by one: without it the other copies would stay.
    /// </summary>
    public const string Delete = $$"""
        {{RedisDeletionLog.RecordScript}}
        {{ByteCount.DeleteScript}}
        redis.call('DEL', KEYS[1])
        redis.call('ZREM', KEYS[3], ARGV[1])
        redis.call('ZREM', KEYS[4], ARGV[2])
        """;
}
