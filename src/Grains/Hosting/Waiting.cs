namespace Herd.Grains.Hosting;

internal static class Waiting
{
    /// <summary>
    /// Waits for a signal or a timeout, and does not say which came. It continues on the caller's grain.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async Task WaitOrTimeout(
        this Task signal, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        // Timers round down to milliseconds, and would fire too early.
        var whole = TimeSpan.FromMilliseconds(Math.Ceiling(timeout.TotalMilliseconds));
        await signal.WaitAsync(whole, time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancellation.ThrowIfCancellationRequested();
    }
}
