namespace Herd.Simulator.Faults;

/// <summary>
/// Time that passes on request. Timers fire in the order in which they are due, and timers that are due together in the
/// order in which they were set.
/// </summary>
internal sealed class SimulatedTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<(Timer Timer, long Set), (long Due, long Set)> _timers = new();
    private long _now;
    private long _set;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(30).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan time)
    {
        var end = _now + time.Ticks;
        while (TakeDue(end) is { } timer)
        {
            timer.Fire();
        }

        Volatile.Write(ref _now, end);
    }

    private Timer? TakeDue(long end)
    {
        lock (_lock)
        {
            while (_timers.TryPeek(out var next, out var at) && at.Due <= end)
            {
                _timers.Dequeue();
                if (next.Timer.IsSet(next.Set))
                {
                    Volatile.Write(ref _now, Math.Max(_now, at.Due));
                    return next.Timer;
                }
            }

            return null;
        }
    }

    private sealed class Timer(SimulatedTime time, Action callback) : ITimer
    {
        private TimeSpan _period;
        private long _current;

        /// <summary>True if the timer was neither set again nor stopped.</summary>
        public bool IsSet(long set) => _current == set;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                _period = period;
                _current = 0;
                if (dueTime >= TimeSpan.Zero)
                {
                    _current = ++time._set;
                    time._timers.Enqueue((this, _current), (time._now + dueTime.Ticks, _current));
                }
            }

            return true;
        }

        public void Fire()
        {
            Change(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan, _period);
            callback();
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
