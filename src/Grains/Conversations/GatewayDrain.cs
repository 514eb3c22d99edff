using Microsoft.Extensions.Hosting;

namespace Herd.Grains.Conversations;

/// <summary>
/// Empties a gateway before its process ends: turns that are answered here stop at the token they have, what they have is
/// stored, and their conversations are unloaded; whoever asked goes on with them at another gateway. Only then is anything
/// of the process stopped.
/// </summary>
public sealed class GatewayDrain(TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _begun = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _turns;

    /// <summary>Cancelled when this gateway is about to end.</summary>
    public CancellationToken Started => _begun.Token;

    /// <summary>Counts a turn that is answered here.</summary>
    /// <returns>Dispose when it has ended.</returns>
    public IDisposable TrackTurn()
    {
        Interlocked.Increment(ref _turns);
        return new TrackedTurn(this);
    }

    /// <summary>Runs before anything of the process is stopped.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _begun.CancelAsync();
        if (Volatile.Read(ref _turns) > 0)
        {
            await _over.Task.WaitAsync(Most, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _begun.Dispose();

    private void Leave()
    {
        if (Interlocked.Decrement(ref _turns) == 0 && Started.IsCancellationRequested)
        {
            _over.TrySetResult();
        }
    }

    private sealed class TrackedTurn(GatewayDrain handover) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                handover.Leave();
            }
        }
    }
}
