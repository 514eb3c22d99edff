namespace Herd.Inference.Simulated;

/// <summary>
/// Waits for simulated time. Times too short for a timer are added up, so that the sum is right.
/// </summary>
internal sealed class Pace(double speed, TimeProvider time)
{
    private static readonly TimeSpan MinWait = TimeSpan.FromMilliseconds(1);

    private long _due = time.GetTimestamp();

    public void Spend(TimeSpan cost)
    {
        // Idle time does not shorten later waits.
        var now = time.GetTimestamp();
        var ticks = (long)(cost.TotalSeconds / speed * time.TimestampFrequency);
        _due = Math.Max(_due, now - (long)(MinWait.TotalSeconds * time.TimestampFrequency)) + ticks;
        var wait = time.GetElapsedTime(now, _due);
        if (wait >= MinWait)
        {
            Task.Delay(wait, time).GetAwaiter().GetResult();
        }
    }
}
