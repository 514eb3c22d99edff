using Herd.Contracts.Errors;

namespace Herd.Grains.Conversations.Storage;

/// <summary>Writes what a conversation could not write while the store was away, behind everybody's back, until it lands.</summary>
internal sealed class WriteBehind(IGrainBase grain, Transcript transcript, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    private IGrainTimer? _timer;

    /// <summary>Waits a moment for a store that is away; then goes on trying while the conversation is held in memory.</summary>
    /// <returns>Whether all of the conversation is stored.</returns>
    public async Task<bool> IsSaved()
    {
        for (var started = time.GetTimestamp(); !transcript.IsSaved && time.GetElapsedTime(started) < Patience;)
        {
            await Task.Delay(Every, time);
            await Save(CancellationToken.None);
        }

        if (!transcript.IsSaved)
        {
            _timer ??= grain.RegisterGrainTimer(
                Save, new GrainTimerCreationOptions(Every, Every) { Interleave = true, KeepAlive = true });
        }

        return transcript.IsSaved;
    }

    /// <summary>Tries once. When somebody else has written meanwhile, this memory is stale and makes way.</summary>
    public async Task Save(CancellationToken cancellation)
    {
        try
        {
            await transcript.Flush();
            End();
        }
        catch (HerdException e) when (e.Error == HerdError.StoreUnavailable)
        {
            // Again in a while.
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
