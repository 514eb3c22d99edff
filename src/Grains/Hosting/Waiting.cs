namespace Herd.Grains.Hosting;

internal static class Waiting
{
    /// <summary>Waits until a signal is given or time is up; either is a reason to go on. Stays on the caller's grain.</summary>
    /// <exception cref="OperationCanceledException">The waiting was cancelled.</exception>
    public static async Task WaitOrTimeout(
        this Task signal, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        // Timers drop what is less than a millisecond, and would end before the time is up.
        var whole = TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds));
        await signal.WaitAsync(whole, time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancellation.ThrowIfCancellationRequested();
    }
}
