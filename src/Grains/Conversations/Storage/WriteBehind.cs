using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// Repeats the writes of a conversation that failed while the store did not respond, until the store has them. A timer
/// does so from the first such write on, whoever made it, and keeps the conversation active.
/// </summary>
internal sealed class WriteBehind
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly IGrainBase _grain;
    private readonly Transcript _transcript;
    private readonly TimeProvider _time;
    private IGrainTimer? _timer;
    private bool _isClosed;

    public WriteBehind(IGrainBase grain, Transcript transcript, TimeProvider time)
    {
        (_grain, _transcript, _time) = (grain, transcript, time);
        transcript.OnUnsaved = Start;
    }

    /// <summary>Waits up to 2 s for the store.</summary>
    /// <returns>True if all of the conversation is stored.</returns>
    public async Task<bool> IsSaved()
    {
        var started = _time.GetTimestamp();
        while (!_transcript.IsSaved && !_isClosed && _time.GetElapsedTime(started) < MaxWait)
        {
            await Task.Delay(RetryDelay, _time);
            await Save(CancellationToken.None);
        }

        return _transcript.IsSaved;
    }

    /// <summary>The last try, when the grain deactivates. It is made even if the time for that is up.</summary>
    public Task Close(CancellationToken cancellation)
    {
        _isClosed = true;
        return Save(cancellation);
    }

    /// <summary>A grain that deactivates gets no timer: nothing would end it.</summary>
    private void Start()
    {
        if (!_isClosed)
        {
            _timer ??= _grain.RegisterGrainTimer(
                Save, new GrainTimerCreationOptions(RetryDelay, RetryDelay) { Interleave = true, KeepAlive = true });
        }
    }

    /// <summary>
    /// Tries once. If another owner has written meanwhile, this memory is stale, and the grain deactivates.
    /// </summary>
    private async Task Save(CancellationToken cancellation)
    {
        try
        {
            await _transcript.Flush();
        }
        catch (HerdException e) when (e.Error == HerdError.StoreUnavailable)
        {
            // The timer tries again.
        }
        catch (HerdException e) when (e.Error == HerdError.Conflict)
        {
            _isClosed = true;
            _grain.DeactivateOnIdle();
        }

        // A change that came during the write is not stored by it.
        if (_transcript.IsSaved || _isClosed)
        {
            _timer?.Dispose();
            _timer = null;
        }
    }
}
