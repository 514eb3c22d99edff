using System.Diagnostics.Metrics;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Gateway.Telemetry;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Deletes durable conversations that were not used for <see cref="GatewayOptions.Retention"/>, as their tenants would.
/// Every gateway has it; one of them sweeps at a time, and does a bounded number of deletions.
/// </summary>
internal sealed class RetentionSweep(
    IRetentionIndex index,
    IGrainFactory grains,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<RetentionSweep> logger)
    : BackgroundService
{
    /// <summary>The most conversations that one sweep looks at.</summary>
    private const int MaxConversations = 1000;

    private static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(1);

    /// <summary>The time after which a conversation that could not be looked at is tried again.</summary>
    private static readonly TimeSpan RetryTime = TimeSpan.FromHours(1);

    private readonly Meter _meter = new(GatewayMetrics.Name);
    private long _deleted;

    /// <summary>Begins to count.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _meter.CreateObservableCounter(
            "herd.conversations.expired",
            () => Interlocked.Read(ref _deleted),
            "{conversation}",
            "Conversations that this gateway deleted because they were not used for Gateway:Retention.");
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Retention is not { } retention)
        {
            return;
        }

        var interval = TimeSpan.FromTicks(Math.Min(MaxInterval.Ticks, Math.Max(retention.Ticks / 4, 1)));
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Sweep(retention, interval, stoppingToken);
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store does not respond. The next sweep continues.
            }
        }
    }

    /// <returns>The number of conversations that were deleted.</returns>
    internal async Task<int> Sweep(TimeSpan retention, TimeSpan interval, CancellationToken cancellation)
    {
        // A little less, so that the next tick is not too early.
        if (!await index.TryBegin(interval * 0.9))
        {
            return 0;
        }

        var since = time.GetUtcNow() - retention;
        var deleted = 0;
        foreach (var name in await index.FindUnused(since, MaxConversations))
        {
            deleted += await TryDelete(name, since, retention, cancellation) ? 1 : 0;
        }

        if (deleted > 0)
        {
            Interlocked.Add(ref _deleted, deleted);
            RetentionLog.Deleted(logger, deleted, retention);
        }

        return deleted;
    }

    private async Task<bool> TryDelete(
        StoredName name, DateTimeOffset since, TimeSpan retention, CancellationToken cancellation)
    {
        try
        {
            var expiry = await grains.GetGrain<IConversationGrain>(
                GrainKey.Conversation(name.Tenant, name.Conversation)).DeleteIfUnused(since, cancellation);
            await (expiry.LastUse is { } used ? index.Record(name, used) : index.Remove(name));
            return expiry.IsDeleted;
        }
        catch (Exception e) when (e is HerdException || CallFailure.IsTransient(e))
        {
            // It is being answered, cannot be reached or cannot be read. Others are not held up by it.
            await index.Record(name, since + (retention < RetryTime ? retention : RetryTime));
            return false;
        }
    }
}

internal static partial class RetentionLog
{
    [LoggerMessage(
        EventId = 840,
        Level = LogLevel.Information,
        Message = "{Conversations} conversations were not used for {Retention} and are deleted")]
    public static partial void Deleted(ILogger logger, int conversations, TimeSpan retention);
}
