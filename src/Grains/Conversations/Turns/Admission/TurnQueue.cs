using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Turns.Admission;

/// <summary>
/// Admits one call at a time to a conversation, in the order of arrival. Orleans does not do that: calls that stream
/// interleave with all others.
/// </summary>
internal sealed class TurnQueue : IDisposable
{
    private const int MaxWaiting = 8;

    private readonly SemaphoreSlim _admission = new(1);
    private Ticket? _running;
    private int _waiting;

    /// <summary>
    /// Waits until the turn may run. If the same turn runs, its caller has left: it is cancelled, and this call takes
    /// over.
    /// </summary>
    /// <param name="turn">The turn's id.</param>
    /// <param name="mayWait">False refuses the turn while another call runs.</param>
    /// <param name="cancellation">Ends the waiting, and later the turn.</param>
    /// <exception cref="HerdException">Another call runs and the turn may not wait, or too many calls wait.</exception>
    public async Task<Ticket> EnterTurn(string turn, bool mayWait, CancellationToken cancellation)
    {
        if (!await CancelTurn(turn))
        {
            ThrowIfFull(mayWait);
        }

        return await Enter(TicketKind.Turn, turn, cancellation);
    }

    /// <summary>Waits until a call that reads or changes the conversation, but answers no turn, may run.</summary>
    /// <exception cref="HerdException">Too many calls wait.</exception>
    public Task<Ticket> EnterManagement(CancellationToken cancellation)
    {
        ThrowIfFull(mayWait: true);
        return Enter(TicketKind.Management, turn: null, cancellation);
    }

    /// <summary>Admits a migration of the session if no other call runs.</summary>
    /// <exception cref="HerdException">Another call runs.</exception>
    public Task<Ticket> EnterMigration(CancellationToken cancellation)
    {
        ThrowIfFull(mayWait: false);
        return Enter(TicketKind.Migration, turn: null, cancellation);
    }

    /// <summary>Cancels the turn if it runs, and waits until a management call may run.</summary>
    /// <exception cref="HerdException">Too many calls wait.</exception>
    public async Task<Ticket> Interrupt(string turn, CancellationToken cancellation)
    {
        await CancelTurn(turn);
        return await EnterManagement(cancellation);
    }

    /// <summary>Cancels the turn or migration that runs, and waits until a management call may run.</summary>
    /// <exception cref="HerdException">Too many calls wait.</exception>
    public async Task<Ticket> Interrupt(CancellationToken cancellation)
    {
        if (_running is { Kind: TicketKind.Turn or TicketKind.Migration } running)
        {
            await running.CancelAsync();
        }

        return await EnterManagement(cancellation);
    }

    public void Dispose() => _admission.Dispose();

    private async Task<bool> CancelTurn(string turn)
    {
        if (_running is not { Kind: TicketKind.Turn } running || running.Turn != turn)
        {
            return false;
        }

        await running.CancelAsync();
        return true;
    }

    private void ThrowIfFull(bool mayWait)
    {
        if (_running is { } running && (!mayWait || _waiting >= MaxWaiting))
        {
            throw new HerdException(
                HerdError.TurnInProgress,
                $"The conversation {Describe(running.Kind)}; calls that wait: {_waiting}. "
                + "Send the request again when it has ended.");
        }
    }

    private static string Describe(TicketKind kind) => kind switch
    {
        TicketKind.Turn => "is answering another turn",
        TicketKind.Migration => "migrates to another node",
        _ => "is being read or changed by another call",
    };

    private async Task<Ticket> Enter(TicketKind kind, string? turn, CancellationToken cancellation)
    {
        _waiting++;
        try
        {
            await _admission.WaitAsync(cancellation);
        }
        finally
        {
            _waiting--;
        }

        return _running = new Ticket(this, kind, turn, CancellationTokenSource.CreateLinkedTokenSource(cancellation));
    }

    private void Leave()
    {
        _running = null;
        _admission.Release();
    }

    /// <summary>The purpose of an admitted call.</summary>
    internal enum TicketKind
    {
        /// <summary>The call answers a turn.</summary>
        Turn,

        /// <summary>The call reads or changes the conversation.</summary>
        Management,

        /// <summary>The call migrates the session to another node.</summary>
        Migration,
    }

    /// <summary>An admitted call. Dispose when the call is over: the next one is admitted then.</summary>
    internal sealed class Ticket(
        TurnQueue queue, TicketKind kind, string? turn, CancellationTokenSource cancellation) : IDisposable
    {
        public TicketKind Kind => kind;

        /// <summary>The turn's id; null for other kinds.</summary>
        public string? Turn => turn;

        /// <summary>Cancelled when the call must end early.</summary>
        public CancellationToken Cancellation { get; } = cancellation.Token;

        public void Cancel() => cancellation.Cancel();

        internal Task CancelAsync() => cancellation.CancelAsync();

        public void Dispose()
        {
            cancellation.Dispose();
            queue.Leave();
        }
    }
}
