namespace Herd.Inference.Kv;

/// <summary>
/// An amount per second as measured of late: sums of amounts and of times that both fade, so that long measurements
/// count for more than short ones.
/// </summary>
/// <param name="initial">The rate that is assumed before the first measurement.</param>
public sealed class Rate(double initial)
{
    private const double Fading = 0.9;

    private double _amount;
    private double _seconds;

    public double PerSecond { get; private set; } = initial;

    public void Record(double amount, TimeSpan time)
    {
        _amount = _amount * Fading + amount;
        _seconds = _seconds * Fading + time.TotalSeconds;
        if (_seconds > 0 && _amount > 0)
        {
            PerSecond = _amount / _seconds;
        }
    }

    /// <summary>Seconds that an amount takes.</summary>
    public double Seconds(double amount) => amount / PerSecond;
}
