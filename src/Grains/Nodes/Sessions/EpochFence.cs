using Herd.Contracts.Errors;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// Admits only calls with the newest epoch seen, and ends earlier work. So of two owners of a conversation the older
/// one can neither begin nor continue. Not thread-safe: a grain runs one call at a time.
/// </summary>
internal sealed class EpochFence
{
    private long _epoch;
    private Action? _endWork;

    /// <summary>Ends the work in progress.</summary>
    /// <exception cref="HerdException">A newer epoch has been seen.</exception>
    public void Admit(long epoch)
    {
        if (epoch < _epoch)
        {
            throw Refusal();
        }

        _epoch = epoch;
        _endWork?.Invoke();
    }

    /// <summary>Ends the work in progress and begins new work.</summary>
    /// <returns>The new work. Its token is cancelled when it must end.</returns>
    /// <exception cref="HerdException">A newer epoch has been seen.</exception>
    public Work Begin(long epoch, CancellationToken cancellation)
    {
        Admit(epoch);
        var work = new Work(this, cancellation);
        _endWork = work.Cancel;
        return work;
    }

    /// <summary>The error of a call with an older epoch.</summary>
    public static HerdException Refusal() =>
        new(HerdError.Fenced, "The conversation has a newer epoch, so this call was refused.");

    internal sealed class Work(EpochFence fence, CancellationToken cancellation) : IDisposable
    {
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(
            cancellation);

        public CancellationToken Token => _source.Token;

        public void Cancel() => _source.Cancel();

        /// <exception cref="HerdException">A newer call has ended this work.</exception>
        /// <exception cref="OperationCanceledException">Its own caller cancelled.</exception>
        public void RequireNewest()
        {
            cancellation.ThrowIfCancellationRequested();
            if (_source.IsCancellationRequested)
            {
                throw Refusal();
            }
        }

        public void Dispose()
        {
            if (fence._endWork == Cancel)
            {
                fence._endWork = null;
            }

            _source.Dispose();
        }
    }
}
