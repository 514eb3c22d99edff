using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Storage;

/// <summary>
/// Repeats the writes of a conversation that failed while the store did not respond, until the store has them.
/// </summary>
internal sealed class WriteBehind(IGrainBase grain, Transcript transcript, TimeProvider time)
{
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private IGrainTimer? _timer;

    /// <summary>
    /// Waits up to 2 s for the store. If that is not enough, a timer repeats the writes and keeps the conversation
    /// active.
    /// </summary>
    /// <returns>True if all of the conversation is stored.</returns>
    public async Task<bool> IsSaved()
    {
        for (var started = time.GetTimestamp(); !transcript.IsSaved && time.GetElapsedTime(started) < MaxWait;)
        {
            await Task.Delay(RetryDelay, time);
            await Save(CancellationToken.None);
        }

        if (!transcript.IsSaved)
        {
            _timer ??= grain.RegisterGrainTimer(
                Save, new GrainTimerCreationOptions(RetryDelay, RetryDelay) { Interleave = true, KeepAlive = true });
        }

        return transcript.IsSaved;
    }

    /// <summary>
    /// Tries once. If another owner has written meanwhile, this memory is stale, and the grain deactivates.
    /// </summary>
    public async Task Save(CancellationToken cancellation)
    {
        try
        {
            await transcript.Flush();
            End();
        }
        catch (HerdException e) when (e.Error == HerdError.StoreUnavailable)
        {
            // The timer tries again.
        }
        catch (HerdException e) when (e.Error == HerdError.Conflict)
        {
            End();
            grain.DeactivateOnIdle();
        }
    }

    private void End()
    {
        _timer?.Dispose();
        _timer = null;
    }
}
