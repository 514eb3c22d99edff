namespace Herd.Inference.Simulated;

/// <summary>
/// Lets time pass. What is shorter than a timer can wait is saved up, so that the sum is right.
/// </summary>
internal sealed class Pace(double speed, TimeProvider time)
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private long _due = time.GetTimestamp();

    public void Spend(TimeSpan cost)
    {
        // Idle time is not made up for later.
        var now = time.GetTimestamp();
        var ticks = (long)(cost.TotalSeconds / speed * time.TimestampFrequency);
        _due = Math.Max(_due, now - (long)(Least.TotalSeconds * time.TimestampFrequency)) + ticks;
        var wait = time.GetElapsedTime(now, _due);
        if (wait >= Least)
        {
            Task.Delay(wait, time).GetAwaiter().GetResult();
        }
    }
}
