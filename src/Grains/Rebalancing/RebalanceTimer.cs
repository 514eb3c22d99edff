using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Rebalancing;

/// <summary>
/// Calls the cluster's one rebalancer at intervals. Every gateway does, so that rebalancing continues without any one
/// of them.
/// </summary>
internal sealed class RebalanceTimer(
    IGrainFactory grains, IOptions<RebalanceOptions> options, TimeProvider time, ILogger<RebalanceTimer> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Run(stoppingToken);

    /// <summary>Calls it until the process stops.</summary>
    internal async Task Run(CancellationToken stoppingToken)
    {
        if (options.Value.Interval == TimeSpan.Zero)
        {
            return;
        }

        using var timer = new PeriodicTimer(options.Value.Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await grains.GetGrain<IRebalancerGrain>(0).Rebalance();
            }
            catch (Exception e) when (CallFailure.IsTransient(e))
            {
                RebalanceTimerLog.NotReached(logger, e.GetType().Name);
            }
        }
    }
}

internal static partial class RebalanceTimerLog
{
    [LoggerMessage(
        EventId = 521,
        Level = LogLevel.Debug,
        Message = "The rebalancer could not be reached ({Kind}). This gateway calls it again.")]
    public static partial void NotReached(ILogger logger, string kind);
}
