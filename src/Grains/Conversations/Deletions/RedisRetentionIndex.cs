using Herd.Contracts;
using Herd.Grains.Conversations.Storage;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Deletions;

/// <summary>The index in a sorted set, scored by Unix milliseconds: docs/stored-state.md.</summary>
internal sealed class RedisRetentionIndex(StoreConnection store) : IRetentionIndex
{
    public const string Key = "herd:retention";
    private const string SweepKey = "herd:retention:sweep";
    private const string FilledKey = "herd:retention:filled";

    private const int Page = 1000;
    private static readonly TimeSpan FillInterval = TimeSpan.FromDays(1);

    private IDatabase Database => store.Database;

    public async Task<bool> TryBegin(TimeSpan interval)
    {
        if (!await Database.StringSetAsync(SweepKey, "1", interval, When.NotExists))
        {
            return false;
        }

        if (await Database.StringSetAsync(FilledKey, "1", FillInterval, When.NotExists))
        {
            await Fill();
        }

        return true;
    }

    public async Task<IReadOnlyList<StoredName>> FindUnused(DateTimeOffset since, int count)
    {
        var entries = await Database.SortedSetRangeByScoreAsync(
            Key, stop: since.ToUnixTimeMilliseconds(), exclude: Exclude.Stop, take: count);
        return
        [
            .. from entry in entries
               let parts = GrainKey.Split(entry.ToString())
               select new StoredName(parts[0], parts[1]),
        ];
    }

    public Task<long> CountUnused(DateTimeOffset since) => Database.SortedSetLengthAsync(
        Key, max: since.ToUnixTimeMilliseconds(), exclude: Exclude.Stop);

    public Task Record(StoredName name, DateTimeOffset used) =>
        Database.SortedSetAddAsync(Key, Entry(name.Tenant, name.Conversation), used.ToUnixTimeMilliseconds());

    public Task Remove(StoredName name) => Database.SortedSetRemoveAsync(Key, Entry(name.Tenant, name.Conversation));

    /// <summary>The entry of a conversation.</summary>
    public static string Entry(string tenant, string id) => GrainKey.Conversation(tenant, id);

    /// <summary>Adds the conversations of all lists that are not here, with the times of their creation.</summary>
    private async Task Fill()
    {
        await foreach (var list in store.Keys($"{RedisConversationStore.Lists}*"))
        {
            await Fill(list, Uri.UnescapeDataString(list[RedisConversationStore.Lists.Length..]));
        }
    }

    private async Task Fill(RedisKey list, string tenant)
    {
        var page = new List<SortedSetEntry>(Page);
        await foreach (var entry in Database.SortedSetScanAsync(list, pageSize: Page))
        {
            page.Add(new SortedSetEntry(Entry(tenant, entry.Element.ToString()), entry.Score));
            if (page.Count == Page)
            {
                await Add();
            }
        }

        if (page.Count > 0)
        {
            await Add();
        }

        async Task Add()
        {
            await Database.SortedSetAddAsync(Key, [.. page], SortedSetWhen.NotExists);
            page.Clear();
        }
    }
}
