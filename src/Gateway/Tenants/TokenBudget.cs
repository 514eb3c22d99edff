namespace Herd.Gateway.Tenants;

/// <summary>
/// A budget of tokens that refills each minute and holds a minute's tokens. The tokens of an answer are known at its
/// end and charged then. The budget may become negative; no answer begins until it is positive again. Thread-safe.
/// </summary>
internal sealed class TokenBudget(int perMinute, TimeProvider time)
{
    private readonly Lock _lock = new();
    private double _left = perMinute;
    private long _at = time.GetTimestamp();

    private double PerSecond => perMinute / 60.0;

    /// <returns>The time until an answer may begin; zero if it may begin now.</returns>
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
