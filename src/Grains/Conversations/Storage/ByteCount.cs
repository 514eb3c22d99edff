using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// What stored conversations count for a tenant's limit of bytes: docs/decisions/shared-limits.md. A turn that is to be
/// answered counts with its expected answer, so that the answer has room.
/// </summary>
internal static class ByteCount
{
    /// <summary>The field of a tenant's count that has the sum over its conversations.</summary>
    public const string Used = "=used";

    /// <summary>The field with the tenant's limit.</summary>
    public const string Limit = "=limit";

    /// <summary>
    /// A part of the script that writes a conversation. It counts the bytes of the values in the hash and refuses the
    /// write beyond the limit. The count of a conversation and the sum are one command, so that they always agree; the
    /// next write corrects the count of one that was not written after all. Keys 1 and 3: the hash, the count.
    /// Arguments 1, 3 and 4 as of the script; 6: bytes of the expected answer; 7: 1 if the write may be refused; 8: the
    /// id; the names and values begin at 9. Leaves the bytes of the hash in "bytes".
    /// </summary>
    public const string WriteScript = $$"""
        local bytes = tonumber(redis.call('HGET', KEYS[1], 'bytes') or '-1')
        if bytes < 0 then
          bytes = 0
          for _, value in ipairs(redis.call('HVALS', KEYS[1])) do bytes = bytes + #value end
        end
        local isNew = ARGV[1] == '0'
        for i = 9, #ARGV, 2 do
          bytes = bytes + #ARGV[i + 1] - (isNew and 0 or redis.call('HSTRLEN', KEYS[1], ARGV[i]))
        end
        for turn = tonumber(ARGV[3]), tonumber(ARGV[4]) - 1 do
          bytes = bytes - redis.call('HSTRLEN', KEYS[1], '{{ConversationScripts.TurnPrefix}}' .. turn)
        end
        local counted = bytes + tonumber(ARGV[6])
        local added = counted - tonumber(redis.call('HGET', KEYS[3], ARGV[8]) or '0')
        local used = tonumber(redis.call('HGET', KEYS[3], '{{Used}}') or '0') + added
        local limit = tonumber(redis.call('HGET', KEYS[3], '{{Limit}}') or '0')
        if ARGV[7] == '1' and limit > 0 and added > 0 and used > limit then return -limit end
        redis.call('HSET', KEYS[3], ARGV[8], string.format('%.0f', counted), '{{Used}}', string.format('%.0f', used))
        """;

    /// <summary>
    /// A part of the script that deletes a conversation. Keys: 5 is the count. Arguments: 1 is the id.
    /// </summary>
    public const string DeleteScript = $$"""
        local counted = tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or '0')
        if counted > 0 then
          local used = tonumber(redis.call('HGET', KEYS[5], '{{Used}}')) - counted
          redis.call('HSET', KEYS[5], ARGV[1], '0', '{{Used}}', string.format('%.0f', used))
          redis.call('HDEL', KEYS[5], ARGV[1])
        end
        """;

    /// <summary>
    /// Replaces values of a conversation by others that mean the same, if its revision is still the expected one. Keys:
    /// the hash, the count. Arguments: the revision; the id; names and values.
    /// </summary>
    public const string RewriteScript = $$"""
        if redis.call('HGET', KEYS[1], '{{ConversationScripts.Revision}}') ~= ARGV[1] then return 0 end
        local added = 0
        for i = 3, #ARGV, 2 do added = added + #ARGV[i + 1] - redis.call('HSTRLEN', KEYS[1], ARGV[i]) end
        local fields = {}
        for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
        local bytes = redis.call('HGET', KEYS[1], 'bytes')
        if bytes then
          fields[#fields + 1] = 'bytes'
          fields[#fields + 1] = string.format('%.0f', tonumber(bytes) + added)
        end
        for i = 1, #fields, 4000 do redis.call('HSET', KEYS[1], unpack(fields, i, math.min(i + 3999, #fields))) end
        local counted = redis.call('HGET', KEYS[2], ARGV[2])
        if counted then
          local used = tonumber(redis.call('HGET', KEYS[2], '{{Used}}')) + added
          redis.call('HSET', KEYS[2],
            ARGV[2], string.format('%.0f', tonumber(counted) + added), '{{Used}}', string.format('%.0f', used))
        end
        return 1
        """;

    /// <summary>Bytes of a token of an answer, as text and as a number.</summary>
    private const int PerToken = 16;

    /// <summary>Bytes of an answer beside its tokens.</summary>
    private const int PerAnswer = 2048;

    /// <summary>The most tokens of an answer that are expected. Clients allow answers far longer than that.</summary>
    private const int MaxTokens = 2048;

    /// <summary>Bytes that are held for the answer of the last turn; 0 if it has ended.</summary>
    public static int ExpectedAnswer(Conversation after) => after.Turns is [.., { } last] && IsPending(last)
        ? PerAnswer + PerToken * Math.Min(last.Settings.MaxTokens ?? MaxTokens, MaxTokens)
        : 0;

    /// <summary>
    /// True if a write stores what was not there before, by a tenant's wish: a conversation, a turn, notes. Answers are
    /// stored in any case.
    /// </summary>
    public static bool MayBeRefused(Conversation? before, Conversation after) =>
        before is null
        || !ReferenceEquals(before.Metadata, after.Metadata)
        || (after.Turns is [.., { } last] && IsPending(last)
            && !(before.Turns is [.., { } earlier] && earlier.Id == last.Id && IsPending(earlier)));

    private static bool IsPending(Turn turn) => turn.State == TurnState.Pending;
}

/// <summary>The write would exceed the tenant's limit of stored bytes.</summary>
/// <param name="limit">The limit, in bytes.</param>
public sealed class StoredBytesException(long limit) : Exception($"The limit of {limit} stored bytes is reached.")
{
    /// <summary>The limit, in bytes.</summary>
    public long Limit => limit;
}
