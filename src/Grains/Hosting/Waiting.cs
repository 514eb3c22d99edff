using Microsoft.Extensions.Hosting;

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

    /// <summary>Waits until the process has started, its ports included.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async Task UntilStarted(this IHostApplicationLifetime lifetime, CancellationToken cancellation)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (lifetime.ApplicationStarted.Register(started.SetResult))
        {
            await started.Task.WaitAsync(cancellation);
        }
    }
}
