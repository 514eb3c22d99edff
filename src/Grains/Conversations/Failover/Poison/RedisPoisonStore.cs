using System.Text.Json;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>Suspect content in a hash, and a key for each node with a trial: docs/stored-state.md.</summary>
internal sealed class RedisPoisonStore(StoreConnection store) : IPoisonStore
{
    private const string Contents = "herd:poison";

    /// <summary>A trial that was ended late must not end the next one.</summary>
    private const string EndScript =
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    private IDatabase Database => store.Database;

    public async Task<SuspectContent?> Find(string digest) => Read(await Database.HashGetAsync(Contents, digest));

    public async Task<IReadOnlyList<SuspectContent>> List() =>
        [.. (await Database.HashGetAllAsync(Contents)).Select(field => Read(field.Value)).OfType<SuspectContent>()];

    public Task Save(SuspectContent content) => Database.HashSetAsync(
        Contents, content.Digest, JsonSerializer.Serialize(content, SuspectJson.Default.SuspectContent));

    public Task Remove(string digest) => Database.HashDeleteAsync(Contents, digest);

    public Task<bool> TryReserve(string node, string trial, TimeSpan expiry) =>
        Database.StringSetAsync(Trial(node), trial, expiry, When.NotExists);

    public Task EndReservation(string node, string trial) => Database.ScriptEvaluateAsync(
        EndScript, [Trial(node)], [trial], CommandFlags.DemandMaster | CommandFlags.NoScriptCache);

    private static RedisKey Trial(string node) => $"herd:trial:{Uri.EscapeDataString(node)}";

    private static SuspectContent? Read(RedisValue json) =>
        json.HasValue ? JsonSerializer.Deserialize((string)json!, SuspectJson.Default.SuspectContent) : null;
}
