namespace Herd.Simulator.Faults;

/// <summary>
/// A node's time: the cluster's time, plus the time of the engine's steps while it computes.
/// </summary>
internal sealed class NodeClock(SimulatedTime cluster, TimeSpan tick) : TimeProvider
{
    private long _engine;
    private bool _computes;

    public override long TimestampFrequency => cluster.TimestampFrequency;

    /// <summary>
    /// The time by which the engine is ahead. Its tokens are delivered when the cluster's time has caught up.
    /// </summary>
    public TimeSpan Ahead => TimeSpan.FromTicks(Math.Max(0, _engine - cluster.GetTimestamp()));

    public override long GetTimestamp() => _computes ? _engine : cluster.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => cluster.GetUtcNow();

    /// <summary>A wait while the engine computes is the time of a step.</summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (!_computes)
        {
            return cluster.CreateTimer(callback, state, dueTime, period);
        }

        _engine += dueTime.Ticks;
        var timer = cluster.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        callback(state);
        return timer;
    }

    /// <summary>Computes steps until the engine has caught up, or has no work.</summary>
    public void Compute(Action step)
    {
        _engine = Math.Max(_engine, cluster.GetTimestamp() - tick.Ticks);
        while (_engine <= cluster.GetTimestamp())
        {
            var began = _engine;
            _computes = true;
            step();
            _computes = false;
            if (_engine == began)
            {
                return;
            }
        }
    }
}
