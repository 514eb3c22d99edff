using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>
/// Writes what turns compute to the ledger: each second while they run, and at their end before they are acknowledged.
/// While the store does not respond, the latest record of each turn waits in memory. Thread-safe.
/// </summary>
public sealed class UsageRecorder(IUsageLedger ledger, TimeProvider time, ILogger<UsageRecorder> logger)
    : BackgroundService
{
    /// <summary>Turns whose records wait. Those of further turns are lost and logged.</summary>
    private const int MaxWaiting = 100_000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Tenant, string Turn), UsageRecord> _waiting = [];
    private readonly SemaphoreSlim _writing = new(1);
    private bool _isAway;
    private long _lost;

    /// <summary>Raised with what was added to the ledger.</summary>
    public event Action<IReadOnlyList<UsageSum>>? Added;

    /// <summary>Turns whose latest record is not written yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Records that were lost, because too many waited.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Takes the latest record of a turn. It is written within a second.</summary>
    public void Record(UsageRecord record)
    {
        var key = (record.Tenant, record.Turn);
        lock (_lock)
        {
            if (_waiting.TryGetValue(key, out var earlier))
            {
                // The first call of the turn that is not written yet knows what was written before.
                _waiting[key] = record with { Before = earlier.Before };
                return;
            }

            if (_waiting.Count < MaxWaiting)
            {
                _waiting[key] = record;
                return;
            }
        }

        if (Interlocked.Increment(ref _lost) == 1)
        {
            LedgerLog.Lost(logger, MaxWaiting);
        }
    }

    /// <summary>
    /// Takes the last record of a turn and writes it, together with all that wait. If the store does not respond, it
    /// waits in memory.
    /// </summary>
    public async Task Write(UsageRecord record)
    {
        Record(record);
        await _writing.WaitAsync();
        try
        {
            // Another call may have written it meanwhile. While the store is away, the timer tries.
            if (!_isAway && IsWaiting(record))
            {
                await WriteAll();
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Writes all that wait, if the store responds.</summary>
    public async Task Flush()
    {
        await _writing.WaitAsync();
        try
        {
            await WriteAll();
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Flush();
    }

    public override void Dispose()
    {
        base.Dispose();
        _writing.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await Flush();
        }
    }

    private bool IsWaiting(UsageRecord record)
    {
        lock (_lock)
        {
            return _waiting.ContainsKey((record.Tenant, record.Turn));
        }
    }

    private async Task WriteAll()
    {
        List<UsageRecord> records;
        lock (_lock)
        {
            records = [.. _waiting.Values];
        }

        if (records.Count == 0)
        {
            return;
        }

        try
        {
            var added = await ledger.Write(records);
            Remove(records);
            _isAway = false;
            Added?.Invoke(added);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            if (!_isAway)
            {
                LedgerLog.Away(logger, records.Count, e.GetType().Name);
            }

            _isAway = true;
        }
    }

    /// <summary>Removes records, except where a later one came meanwhile.</summary>
    private void Remove(List<UsageRecord> written)
    {
        lock (_lock)
        {
            foreach (var record in written)
            {
                var key = (record.Tenant, record.Turn);
                if (ReferenceEquals(_waiting.GetValueOrDefault(key), record))
                {
                    _waiting.Remove(key);
                }
            }
        }
    }
}

internal static partial class LedgerLog
{
    [LoggerMessage(
        EventId = 560,
        Level = LogLevel.Warning,
        Message = "The store does not take the usage of {Turns} turns ({Reason}); it waits in memory")]
    public static partial void Away(ILogger logger, int turns, string reason);

    [LoggerMessage(
        EventId = 561,
        Level = LogLevel.Error,
        Message = "The usage of more than {Turns} turns waits for the store; that of further turns is lost")]
    public static partial void Lost(ILogger logger, int turns);
}
