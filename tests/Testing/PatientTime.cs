using Microsoft.Extensions.Time.Testing;

namespace Herd.Testing;

/// <summary>A clock without waiting: each wait ends at once and advances the clock by its time.</summary>
public sealed class PatientTime : FakeTimeProvider
{
    /// <summary>Called before each wait.</summary>
    public Action<TimeSpan>? OnWait { get; set; }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        OnWait?.Invoke(dueTime);
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Advance(dueTime);
        return timer;
    }
}
