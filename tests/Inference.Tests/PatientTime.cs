using Microsoft.Extensions.Time.Testing;

namespace Herd.Inference.Tests;

/// <summary>A clock without waiting: each wait ends at once and advances the clock by its time.</summary>
internal sealed class PatientTime : FakeTimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Advance(dueTime);
        return timer;
    }
}
