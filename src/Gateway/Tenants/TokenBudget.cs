namespace Herd.Gateway.Tenants;

/// <summary>
/// Tokens that may be used a minute, saved up for as long. What an answer takes is known when it is over, so it is charged then,
/// into debt if need be; nothing new begins until the debt is worked off. Thread-safe.
/// </summary>
internal sealed class TokenBudget(int perMinute, TimeProvider time)
{
    private readonly Lock _lock = new();
    private double _left = perMinute;
    private long _at = time.GetTimestamp();

    private double PerSecond => perMinute / 60.0;

    /// <returns>Zero when something may begin; else how long to wait.</returns>
    public TimeSpan Wait()
    {
        lock (_lock)
        {
            Refill();
            return _left > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((1 - _left) / PerSecond);
        }
    }

    public void Charge(int tokens)
    {
        lock (_lock)
        {
            Refill();
            _left -= tokens;
        }
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        _left = Math.Min(perMinute, _left + (time.GetElapsedTime(_at, now).TotalSeconds * PerSecond));
        _at = now;
    }
}
