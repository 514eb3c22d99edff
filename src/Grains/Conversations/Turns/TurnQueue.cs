using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// Lets turns run one at a time, in the order in which they came. Grain methods that stream interleave, so a grain must
/// see to that itself.
/// </summary>
internal sealed class TurnQueue : IDisposable
{
    private const int MaxWaiting = 8;

    private readonly SemaphoreSlim _turn = new(1);
    private CancellationTokenSource? _running;
    private string? _runningId;
    private int _waiting;

    /// <summary>Waits for its turn.</summary>
    /// <param name="turnId">When a turn of the same id runs, its caller is gone and it is cancelled.</param>
    /// <param name="mayWait">False refuses when another turn runs.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Dispose when the turn is over; its token is cancelled when the turn is to end early.</returns>
    /// <exception cref="HerdException">A turn runs and this one may not wait, or too many wait.</exception>
    public async Task<Ticket> Enter(string turnId, bool mayWait, CancellationToken cancellation)
    {
        if (_runningId == turnId)
        {
            await _running!.CancelAsync();
        }
        else if (_runningId is not null && (!mayWait || _waiting >= MaxWaiting))
        {
            throw new HerdException(
                HerdError.TurnInProgress, $"The conversation is answering another turn, and {_waiting} more wait.");
        }

        _waiting++;
        try
        {
            await _turn.WaitAsync(cancellation);
        }
        finally
        {
            _waiting--;
        }

        _runningId = turnId;
        _running = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        return new Ticket(this, _running);
    }

    /// <summary>Ends the turn of that id, if it runs, and waits until it has ended.</summary>
    public async Task<Ticket> Interrupt(string turnId, CancellationToken cancellation)
    {
        if (_runningId == turnId)
        {
            await _running!.CancelAsync();
        }

        return await Enter("", mayWait: true, cancellation);
    }

    /// <summary>Ends the turn that runs, if one does, and waits until it has ended.</summary>
    public async Task<Ticket> Interrupt(CancellationToken cancellation)
    {
        if (_running is not null)
        {
            await _running.CancelAsync();
        }

        return await Enter("", mayWait: true, cancellation);
    }

    public void Dispose() => _turn.Dispose();

    private void Leave(CancellationTokenSource running)
    {
        running.Dispose();
        _running = null;
        _runningId = null;
        _turn.Release();
    }

    internal sealed class Ticket(TurnQueue queue, CancellationTokenSource cancellation) : IDisposable
    {
        public CancellationToken Cancellation { get; } = cancellation.Token;

        public void Cancel() => cancellation.Cancel();

        public void Dispose() => queue.Leave(cancellation);
    }
}
