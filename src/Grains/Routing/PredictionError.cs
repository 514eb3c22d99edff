namespace Herd.Grains.Routing;

/// <summary>The error of a predicted time to the first token.</summary>
public static class PredictionError
{
    /// <summary>
    /// The least time that an error is compared with, in seconds. Routing counts predictions within 50 ms as equal, so
    /// that such an error of a fast turn is a half, and a smaller one does not matter.
    /// </summary>
    public const double MinSeconds = 0.1;

    /// <summary>The difference as a share of the time that it took, or of <see cref="MinSeconds"/>.</summary>
    public static double Relative(double predicted, double came) =>
        Math.Abs(predicted - came) / Math.Max(came, MinSeconds);
}
