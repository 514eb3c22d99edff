using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Herd.Grains.Accounting.Ledger;

/// <summary>Removes the records of turns of old days from the ledger, once an hour. The sums stay.</summary>
internal sealed class UsagePruning(IUsageLedger ledger, TimeProvider time) : BackgroundService
{
    /// <summary>Days whose turns keep their records, today included.</summary>
    private const int KeptDays = 3;

    /// <summary>Days before these that are looked at: a cluster may have been down.</summary>
    private const int PrunedDays = 30;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Prune();
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // The store does not respond. The next hour will do.
            }
        }
    }

    internal async Task Prune()
    {
        var today = UsageDay.From(time.GetUtcNow());
        for (var age = KeptDays; age < KeptDays + PrunedDays; age++)
        {
            await ledger.Prune(today.AddDays(-age));
        }
    }
}
