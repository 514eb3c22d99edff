using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Scaling;

/// <summary>Reports the held turns of this gateway to the cluster's one scaler, and keeps its latest advice.</summary>
public sealed class PoolAdvisor(
    IGrainFactory grains,
    Pools pools,
    IOptions<ClusterOptions> cluster,
    IOptions<ScalingOptions> options,
    TimeProvider time,
    ILogger<PoolAdvisor> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private volatile IReadOnlyList<PoolAdvice> _latest = [];

    /// <summary>The latest advice; empty before the first.</summary>
    public IReadOnlyList<PoolAdvice> Latest => _latest;

    /// <summary>Asks the scaler now.</summary>
    public async Task<IReadOnlyList<PoolAdvice>> Ask()
    {
        try
        {
            _latest = await grains.GetGrain<IScalerGrain>(0).Advise(new HeldTurns(cluster.Value.Name, pools.Held));
        }
        catch (Exception e) when (CallFailure.IsTransient(e))
        {
            PoolAdvisorLog.NotReached(logger, e.GetType().Name);
        }

        return _latest;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.Pools.Count == 0)
        {
            return;
        }

        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await Ask();
        }
    }
}

internal static partial class PoolAdvisorLog
{
    [LoggerMessage(
        EventId = 532,
        Level = LogLevel.Debug,
        Message = "The scaler could not be reached ({Kind}). This gateway calls it again.")]
    public static partial void NotReached(ILogger logger, string kind);
}
