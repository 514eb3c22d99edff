using Herd.Contracts.Errors;

namespace Herd.Grains.Nodes;

/// <summary>
/// Lets in only who calls with the newest epoch seen, and ends what was begun before: so of two owners of a conversation
/// the older one can neither begin nor go on. Used by one thread at a time, as a grain is.
/// </summary>
internal sealed class EpochFence
{
    private long _epoch;
    private Action? _endWork;

    /// <summary>Ends the work in progress.</summary>
    /// <exception cref="HerdException">A newer epoch has been seen.</exception>
    public void Pass(long epoch)
    {
        if (epoch < _epoch)
        {
            throw Refusal();
        }

        _epoch = epoch;
        _endWork?.Invoke();
    }

    /// <summary>Ends the work in progress and begins another.</summary>
    /// <returns>The new work; its token is cancelled when it is to end.</returns>
    /// <exception cref="HerdException">A newer epoch has been seen.</exception>
    public Work Begin(long epoch, CancellationToken cancellation)
    {
        Pass(epoch);
        var work = new Work(this, cancellation);
        _endWork = work.Cancel;
        return work;
    }

    /// <summary>What whoever comes too late is told.</summary>
    public static HerdException Refusal() =>
        new(HerdError.Fenced, "The conversation is served under a newer epoch; this call comes too late.");

    internal sealed class Work(EpochFence fence, CancellationToken cancellation) : IDisposable
    {
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);

        public CancellationToken Token => _source.Token;

        public void Cancel() => _source.Cancel();

        /// <exception cref="HerdException">A newer call has ended this work.</exception>
        /// <exception cref="OperationCanceledException">Its own caller has.</exception>
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
