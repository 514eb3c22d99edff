using System.Runtime.CompilerServices;
using Herd.Grains.Accounting.Ledger;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage.Backup;

/// <summary>
/// Copies what the store has while the cluster runs. Each conversation, and each day of the ledger, is read in one
/// step, so it is whole; between two of them others may be written.
/// </summary>
public sealed class StoreBackup(StoreConnection store, TimeProvider time)
{
    private const string Lists = RedisConversationStore.Lists;
    private const string Days = RedisUsageLedger.Days;
    private const int Page = 500;

    /// <param name="write">Takes the bytes of the backup, piece by piece.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="RedisException">The store does not respond.</exception>
    public async Task<BackupSummary> Write(Func<ReadOnlyMemory<byte>, Task> write, CancellationToken cancellation)
    {
        using var backup = new BackupWriter(write, time.GetUtcNow());
        await backup.Begin();
        await foreach (var list in Keys($"{Lists}*", cancellation))
        {
            await WriteTenant(backup, Uri.UnescapeDataString(list[Lists.Length..]), list, cancellation);
        }

        await foreach (var day in Keys($"{Days}*", cancellation))
        {
            await backup.WriteUsage(day[Days.Length..], await Fields(day, cancellation));
        }

        return await backup.End();
    }

    private async Task WriteTenant(
        BackupWriter backup, string tenant, string list, CancellationToken cancellation)
    {
        await foreach (var entry in store.Database.SortedSetScanAsync(list, pageSize: Page)
            .WithCancellation(cancellation))
        {
            var id = entry.Element.ToString();
            var fields = await Fields(RedisConversationStore.Key(tenant, id).ToString(), cancellation);

            // An entry without a conversation is that of one that was not created after all.
            if (fields.ContainsKey(RedisConversationStore.Head))
            {
                await backup.WriteConversation(tenant, id, fields);
            }
        }
    }

    private async Task<Dictionary<string, string>> Fields(string key, CancellationToken cancellation) =>
        (await store.Database.HashGetAllAsync(key).WaitAsync(cancellation))
            .ToDictionary(field => field.Name.ToString(), field => field.Value.ToString());

    private async IAsyncEnumerable<string> Keys(
        string pattern, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = new HashSet<string>();
        await foreach (var key in store.Keys(pattern, cancellation))
        {
            if (seen.Add(key))
            {
                yield return key;
            }
        }
    }
}
