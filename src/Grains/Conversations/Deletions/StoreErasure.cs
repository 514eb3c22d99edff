using Herd.Grains.Conversations.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Deletions;

/// <summary>
/// Makes the store write its files anew after deletions, so that they hold nothing of what was deleted. One gateway
/// does so for all. Texts that were replaced or expired go the same way, within hours.
/// </summary>
internal sealed class StoreErasure(StoreConnection store, TimeProvider time, ILogger<StoreErasure> logger)
    : BackgroundService
{
    private const string Lock = "herd:erasing";

    /// <summary>The time after which texts that were replaced or expired leave the files.</summary>
    private static readonly TimeSpan MaxInterval = TimeSpan.FromHours(6);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>The pause between two rewrites: a large store writes all that it has.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(20);

    /// <summary>The longest rewrite. A gateway that dies during one holds the others up for as long.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    private readonly string _id = Guid.NewGuid().ToString("N");

    private IDatabase Database => store.Database;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await EraseIfDue(stoppingToken);
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store does not respond. The next tick tries again.
            }
        }
    }

    /// <summary>Rewrites the files if something was deleted since they were, and no other gateway does it.</summary>
    /// <returns>True if they were rewritten.</returns>
    internal async Task<bool> EraseIfDue(CancellationToken cancellation)
    {
        var state = await ErasureState.Read(Database);
        var now = time.GetUtcNow();
        var pause = state.IsPending ? Pause : MaxInterval;
        if (state.At is null && !state.IsPending)
        {
            await state.Write(Database, now, failure: null);
            return false;
        }

        if (now - state.At < pause || !await Database.LockTakeAsync(Lock, _id, Timeout))
        {
            return false;
        }

        try
        {
            var failure = await Rewrite(cancellation);
            await state.Write(Database, time.GetUtcNow(), failure);
            return failure is null;
        }
        finally
        {
            await Database.LockReleaseAsync(Lock, _id);
        }
    }

    /// <returns>The reason why it failed; null if it did not.</returns>
    private async Task<string?> Rewrite(CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            var failure = await new StoreFiles(store, time).Rewrite(either.Token);
            if (failure is not null)
            {
                ErasureLog.Failed(logger, failure);
            }

            return failure;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            var failure = $"the store's files were not rewritten within {Timeout.TotalMinutes} min";
            ErasureLog.Failed(logger, failure);
            return failure;
        }
        catch (Exception e) when (e is RedisServerException or IOException)
        {
            ErasureLog.Failed(logger, e.Message);
            return e.Message;
        }
    }
}

internal static partial class ErasureLog
{
    [LoggerMessage(
        EventId = 570,
        Level = LogLevel.Warning,
        Message = "What was deleted stays in the store's files: {Reason}. It is tried again.")]
    public static partial void Failed(ILogger logger, string reason);
}
