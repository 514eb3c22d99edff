using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Accounting.Limits;

/// <summary>
/// The counts of all gateways together, in the store. While it does not respond, each gateway counts alone. If a
/// gateway dies, what it had reserved is lost to the tenant until the budget has refilled, a minute at most; its
/// entries of groups are removed after half a minute. docs/decisions/shared-limits.md.
/// </summary>
internal sealed class SharedCounts : ILimitCounts, IDisposable
{
    /// <summary>
    /// Keys: the budget. Arguments: units a minute; units to take; the time in ms; 1 to force. Returns 0, or the ms
    /// until the units are there. The budget expires when it has refilled.
    /// </summary>
    private const string TakeScript = """
        local limit, units, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
        local left, at = tonumber(kept[1] or limit), tonumber(kept[2] or now)
        now = math.max(now, at)
        left = math.min(limit, left + (now - at) * limit / 60000)
        local missing = math.min(units, limit) - left
        if ARGV[4] ~= '1' and missing > 0 then return math.ceil(missing * 60000 / limit) end
        left = math.min(limit, left - units)
        redis.call('HSET', KEYS[1], 'left', string.format('%.3f', left), 'at', string.format('%.0f', now))
        redis.call('EXPIRE', KEYS[1], 60 + math.ceil((limit - left) * 60 / limit))
        return 0
        """;

    /// <summary>
    /// Keys: the group. Arguments: its maximum; the entry; the time in ms; the time of entries that count no longer.
    /// </summary>
    private const string EnterScript = """
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
        if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
        redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
        return 1
        """;

    private const CommandFlags Script = CommandFlags.DemandMaster | CommandFlags.NoScriptCache;

    private static readonly TimeSpan EntryTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RenewalTime = TimeSpan.FromSeconds(10);

    private readonly StoreConnection _store;
    private readonly TimeProvider _time;
    private readonly LocalCounts _local;
    private readonly ITimer _renewal;

    public SharedCounts(StoreConnection store, TimeProvider time)
    {
        (_store, _time, _local) = (store, time, new LocalCounts(time));
        _renewal = time.CreateTimer(_ => Renew().Ignore(), null, RenewalTime, RenewalTime);
    }

    public async Task<TimeSpan> Take(string budget, int limit, int units, bool isForced)
    {
        try
        {
            var wait = (long)await _store.Database.ScriptEvaluateAsync(
                TakeScript, [Key(budget)], [limit, units, Now, isForced ? 1 : 0], Script);
            if (wait > 0)
            {
                return TimeSpan.FromMilliseconds(wait);
            }
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return await _local.Take(budget, limit, units, isForced);
        }

        return await _local.Take(budget, limit, units, isForced: true);
    }

    public async Task<bool> TryEnter(string group, int limit, string entry)
    {
        try
        {
            var oldest = (_time.GetUtcNow() - EntryTime).ToUnixTimeMilliseconds();
            return (bool)await _store.Database.ScriptEvaluateAsync(
                EnterScript, [Key(group)], [limit, entry, Now, oldest], Script)
                && await _local.TryEnter(group, int.MaxValue, entry);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return await _local.TryEnter(group, limit, entry);
        }
    }

    public async Task Leave(string group, string entry)
    {
        await _local.Leave(group, entry);
        try
        {
            await _store.Database.SortedSetRemoveAsync(Key(group), entry);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // It is removed when it is no longer renewed.
        }
    }

    public void Dispose() => _renewal.Dispose();

    /// <summary>Says that the entries of this gateway still count.</summary>
    private async Task Renew()
    {
        foreach (var (group, entries) in _local.Entries)
        {
            await _store.Database.SortedSetAddAsync(
                Key(group), [.. entries.Select(entry => new SortedSetEntry(entry, Now))]);
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static RedisKey Key(string name) => $"herd:limit:{name}";
}
