using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Lifetime;

namespace Herd.Grains.Conversations;

/// <summary>
/// Empties a gateway before its process ends. Turns that are answered here end at their latest token, the answers so
/// far are stored, and their conversations are deactivated; callers resume the turns at another gateway. The rest of
/// the process stops afterwards.
/// </summary>
public sealed class GatewayDrain(TimeProvider time) : StoppingService, IDisposable
{
    private static readonly TimeSpan MaxDrainTime = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _started = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _turns;

    /// <summary>Cancelled when this gateway begins to drain.</summary>
    public CancellationToken Started => _started.Token;

    /// <summary>Counts a turn that is answered here.</summary>
    /// <returns>Dispose when the turn has ended.</returns>
    public IDisposable TrackTurn()
    {
        Interlocked.Increment(ref _turns);
        return new DisposeAction(EndTurn);
    }

    /// <inheritdoc/>
    public override async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _started.CancelAsync();
        if (Volatile.Read(ref _turns) > 0)
        {
            await _empty.Task.WaitAsync(MaxDrainTime, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _started.Dispose();

    private void EndTurn()
    {
        if (Interlocked.Decrement(ref _turns) == 0 && Started.IsCancellationRequested)
        {
            _empty.TrySetResult();
        }
    }
}
