namespace Herd.Grains.Accounting.Limits;

/// <summary>
/// A budget of units, such as tokens, that refills each minute and holds a minute's units. It becomes negative when
/// more was used than reserved; nothing more is reserved until it is paid back. Not thread-safe.
/// </summary>
internal sealed class Budget(int perMinute, TimeProvider time)
{
    private double _left = perMinute;
    private long _at = time.GetTimestamp();

    /// <summary>Takes units, or returns some with a negative number.</summary>
    /// <param name="limit">Units a minute.</param>
    /// <param name="units">The units.</param>
    /// <param name="isForced">True takes them even if they are not there.</param>
    /// <returns>Zero if they were taken; otherwise the time until they are there.</returns>
    public TimeSpan Take(int limit, int units, bool isForced)
    {
        var now = time.GetTimestamp();
        var perSecond = limit / 60.0;
        _left = Math.Min(limit, _left + (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;
        var missing = Math.Min(units, limit) - _left;
        if (!isForced && missing > 0)
        {
            return TimeSpan.FromSeconds(missing / perSecond);
        }

        _left = Math.Min(limit, _left - units);
        return TimeSpan.Zero;
    }
}
