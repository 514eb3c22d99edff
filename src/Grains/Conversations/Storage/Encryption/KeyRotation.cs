using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Herd.Grains.Conversations.Storage.Encryption;

/// <summary>
/// Encrypts with the first key what is stored with another one, or with none. One gateway does so for all, in the
/// background. A pass that found nothing to do tells that the other keys can go.
/// </summary>
internal sealed class KeyRotation(
    StoreConnection store,
    RedisConversationStore conversations,
    StorageKeys keys,
    TimeProvider time,
    ILogger<KeyRotation> logger)
    : BackgroundService
{
    private const string Lock = "herd:encrypting";
    private const int Page = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>The time after which a pass is repeated: an old gateway may have written with its first key.</summary>
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromDays(1);

    /// <summary>A gateway that dies during a pass holds others up for as long. It is renewed at each page.</summary>
    private static readonly TimeSpan LockTime = TimeSpan.FromMinutes(1);

    private readonly string _id = Guid.NewGuid().ToString("N");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (keys.Current.Length == 0)
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await PassIfDue(stoppingToken);
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store does not respond. The next tick tries again.
            }
        }
    }

    /// <summary>Looks at all that is stored, unless that was done for the first key.</summary>
    internal async Task PassIfDue(CancellationToken cancellation)
    {
        var state = await EncryptionState.Read(store.Database);
        var now = time.GetUtcNow();
        if ((state.IsComplete(keys.Current) && now - state.At < RepeatAfter)
            || !await store.Database.LockTakeAsync(Lock, _id, LockTime))
        {
            return;
        }

        try
        {
            var (done, failed) = await Pass(cancellation);
            await EncryptionState.Write(store.Database, new EncryptionState(keys.Current, now, done, failed));
            if (done > 0)
            {
                RotationLog.Encrypted(logger, done, keys.Current);
            }
        }
        finally
        {
            await store.Database.LockReleaseAsync(Lock, _id);
        }
    }

    /// <returns>The conversations that were encrypted anew, and those that cannot be.</returns>
    private async Task<(int Done, int Failed)> Pass(CancellationToken cancellation)
    {
        var (done, failed, seen) = (0, 0, 0);
        await foreach (var key in store.Keys($"{Deletions.RedisDeletionLog.ConversationPrefix}*", cancellation))
        {
            if (++seen % Page == 0)
            {
                await store.Database.LockExtendAsync(Lock, _id, LockTime);
            }

            switch (await conversations.EncryptAnew(key))
            {
                case true:
                    done++;
                    break;
                case null:
                    failed++;
                    break;
                default:
                    break;
            }
        }

        return (done, failed);
    }
}

internal static partial class RotationLog
{
    [LoggerMessage(
        EventId = 580,
        Level = LogLevel.Information,
        Message = "{Conversations} conversations are encrypted with the key {Key} now")]
    public static partial void Encrypted(ILogger logger, int conversations, string key);
}
