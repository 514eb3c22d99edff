namespace Herd.Inference.Kv;

/// <summary>
/// A recent rate in units per second. It is the ratio of two decaying sums, of amounts and of times, so long
/// measurements count more than short ones.
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
