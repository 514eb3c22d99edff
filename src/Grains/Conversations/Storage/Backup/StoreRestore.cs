using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations.Deletions;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage.Backup;

/// <summary>
/// Writes the content of a backup to the store while the cluster runs. What is there stays, unless it is to be
/// replaced; what was deleted since the backup stays deleted. It may be repeated.
/// </summary>
public sealed class StoreRestore
{
    /// <summary>
    /// Added to a restored conversation's epoch. Owners and nodes that know a later one than the backup has would fence
    /// off its next turns.
    /// </summary>
    private const long EpochStep = 1_000_000;

    private const int Page = 1000;
    private const int Attempts = 20;

    private readonly StoreConnection _store;
    private readonly RedisConversationStore _conversations;

    internal StoreRestore(StoreConnection store, RedisConversationStore conversations) =>
        (_store, _conversations) = (store, conversations);

    /// <summary>Reads a backup to its end and changes nothing.</summary>
    /// <exception cref="InvalidDataException">It cannot be restored.</exception>
    public async Task<BackupSummary> Check(
        IAsyncEnumerable<ReadOnlyMemory<byte>> backup, CancellationToken cancellation)
    {
        using var reader = new BackupReader();
        await foreach (var line in reader.Read(backup, cancellation))
        {
            if (line.Conversation is not null)
            {
                Parse(line);
            }
            else
            {
                RequireDay(line.UsageDay!);
            }
        }

        return reader.Summary;
    }

    /// <param name="backup">A backup that was checked.</param>
    /// <param name="created">When it began.</param>
    /// <param name="replaces">True to replace conversations that are there; their answers in progress end.</param>
    /// <param name="cancellation">Ends it. What was restored stays.</param>
    /// <exception cref="InvalidDataException">It cannot be restored.</exception>
    /// <exception cref="RedisException">The store does not respond.</exception>
    public async Task<RestoreSummary> Run(
        IAsyncEnumerable<ReadOnlyMemory<byte>> backup,
        DateTimeOffset created,
        bool replaces,
        CancellationToken cancellation)
    {
        using var reader = new BackupReader();
        var done = new RestoreSummary(0, 0, 0, 0, 0, 0);
        await foreach (var line in reader.Read(backup, cancellation))
        {
            done = line.Conversation is not null
                ? await RestoreConversation(line, created, replaces, done, cancellation)
                : await RestoreUsage(line, done);
        }

        return done;
    }

    /// <summary>A conversation that is answered meanwhile is written in between, so it is tried again.</summary>
    private async Task<RestoreSummary> RestoreConversation(
        BackupLine line, DateTimeOffset created, bool replaces, RestoreSummary done, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Restore(line, created, replaces, done, cancellation);
            }
            catch (ConversationConflictException) when (attempt < Attempts)
            {
                // The next attempt follows that write.
            }
        }
    }

    private async Task<RestoreSummary> Restore(
        BackupLine line, DateTimeOffset created, bool replaces, RestoreSummary done, CancellationToken cancellation)
    {
        var (tenant, conversation) = (line.Tenant!, Parse(line));
        var current = await _conversations.Read(tenant, conversation.Id, cancellation);
        if (current is not null && !replaces)
        {
            return done with { Kept = done.Kept + 1 };
        }

        if (current is null
            && await _store.Database.SortedSetScoreAsync(
                RedisDeletionLog.Key, GrainKey.Conversation(tenant, conversation.Id)) is { } deleted
            && deleted >= created.ToUnixTimeMilliseconds())
        {
            return done with { Deleted = done.Deleted + 1 };
        }

        var epoch = Math.Max(conversation.Epoch, current?.Conversation.Epoch ?? 0) + EpochStep;
        await _conversations.Restore(tenant, current, conversation with { Epoch = epoch });
        return current is null
            ? done with { Restored = done.Restored + 1 }
            : done with { Replaced = done.Replaced + 1 };
    }

    /// <summary>The ledger's records are absolute; a day that is there has what was recorded since.</summary>
    private async Task<RestoreSummary> RestoreUsage(BackupLine line, RestoreSummary done)
    {
        RedisKey key = RedisUsageLedger.Days + line.UsageDay;
        if (await _store.Database.KeyExistsAsync(key))
        {
            return done with { DaysKept = done.DaysKept + 1 };
        }

        foreach (var page in line.Fields!.Chunk(Page))
        {
            await _store.Database.HashSetAsync(
                key, [.. page.Select(field => new HashEntry(field.Key, field.Value))]);
        }

        return done with { Days = done.Days + 1 };
    }

    /// <exception cref="InvalidDataException">It is damaged, or a newer version wrote it.</exception>
    private Conversation Parse(BackupLine line)
    {
        try
        {
            var conversation = _conversations.Parse(line.Tenant!, line.Conversation!, line.Fields!);
            return conversation.Id == line.Conversation
                ? conversation
                : throw new InvalidDataException($"It has the id of another one, '{conversation.Id}'.");
        }
        catch (Exception e) when (e is InvalidDataException or KeyNotFoundException)
        {
            throw new InvalidDataException(
                $"The conversation '{line.Conversation}' of the backup cannot be read: {e.Message}", e);
        }
    }

    private static void RequireDay(string day)
    {
        if (!DateOnly.TryParseExact(day, UsageDay.Format, out _))
        {
            throw new InvalidDataException($"'{day}' in the backup is no day.");
        }
    }
}

/// <summary>What a restore did.</summary>
/// <param name="Restored">Conversations that were not there.</param>
/// <param name="Replaced">Conversations that were there and were replaced.</param>
/// <param name="Kept">Conversations that were there and stay as they are.</param>
/// <param name="Deleted">Conversations that were deleted since the backup and stay deleted.</param>
/// <param name="Days">Days of the ledger that were not there.</param>
/// <param name="DaysKept">Days that were there and stay as they are.</param>
public sealed record RestoreSummary(int Restored, int Replaced, int Kept, int Deleted, int Days, int DaysKept);
