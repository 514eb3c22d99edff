using StackExchange.Redis;

namespace Herd.Grains.Conversations.Deletions;

/// <summary>The state of <see cref="StoreErasure"/>, in a hash of the store: docs/stored-state.md.</summary>
/// <param name="Latest">The time of the latest deletion, in Unix milliseconds of the store's clock; 0 for none.</param>
/// <param name="Until">The time up to which the files hold nothing of what was deleted.</param>
/// <param name="At">The time of the latest rewrite; null before the first.</param>
/// <param name="Failure">The reason why the latest rewrite failed; null if it did not.</param>
public sealed record ErasureState(long Latest, long Until, DateTimeOffset? At, string? Failure)
{
    private const string Key = "herd:erasure";
    private const string UntilField = "until";
    private const string AtField = "at";
    private const string FailureField = "failure";

    /// <summary>True if something was deleted since the files were rewritten.</summary>
    public bool IsPending => Latest > Until;

    /// <exception cref="RedisException">The store does not respond.</exception>
    public static async Task<ErasureState> Read(IDatabase database)
    {
        var latest = database.SortedSetRangeByRankWithScoresAsync(RedisDeletionLog.Key, -1, -1);
        var fields = await database.HashGetAsync(Key, [UntilField, AtField, FailureField]);
        return new ErasureState(
            (await latest) is [var last] ? (long)last.Score : 0,
            (long?)fields[0] ?? 0,
            (long?)fields[1] is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
            (string?)fields[2] is { Length: > 0 } failure ? failure : null);
    }

    /// <summary>Writes the result of a rewrite that began when this state was read.</summary>
    internal Task Write(IDatabase database, DateTimeOffset now, string? failure) => database.HashSetAsync(
        Key,
        [
            new HashEntry(UntilField, failure is null ? Latest : Until),
            new HashEntry(AtField, now.ToUnixTimeMilliseconds()),
            new HashEntry(FailureField, failure ?? ""),
        ]);
}
