namespace Herd.Grains.Hosting;

internal static class Waiting
{
    /// <summary>Waits until a signal is given or time is up; either is a reason to go on. Stays on the caller's grain.</summary>
    /// <exception cref="OperationCanceledException">The waiting was cancelled.</exception>
    public static async Task WaitOrTimeout(
        this Task signal, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
    {
        await signal.WaitAsync(timeout, time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        cancellation.ThrowIfCancellationRequested();
    }
}
