using Microsoft.Extensions.Time.Testing;

namespace Herd.Inference.Tests;

/// <summary>A clock on which nobody waits: as much time passes at once as is waited for.</summary>
internal sealed class PatientTime : FakeTimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Advance(dueTime);
        return timer;
    }
}
