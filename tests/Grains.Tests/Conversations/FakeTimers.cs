using Orleans.Timers;

namespace Herd.Grains.Tests.Conversations;

/// <summary>The timers of a grain that a test creates. They tick when the test says so.</summary>
internal sealed class FakeTimers : ITimerRegistry
{
    private readonly List<Timer> _running = [];

    /// <summary>The timers that were registered and not disposed.</summary>
    public IReadOnlyList<GrainTimerCreationOptions> Running => [.. _running.Select(timer => timer.Options)];

    /// <summary>Lets every timer tick once.</summary>
    public Task Tick() => Task.WhenAll(_running.ToList().Select(timer => timer.Callback(CancellationToken.None)));

    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext,
        Func<TState, CancellationToken, Task> callback,
        TState state,
        GrainTimerCreationOptions options)
    {
        var timer = new Timer(_running, cancellation => callback(state, cancellation), options);
        _running.Add(timer);
        return timer;
    }

    public IDisposable RegisterTimer(
        IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            throw new NotSupportedException();

    private sealed record Timer(
        List<Timer> Running, Func<CancellationToken, Task> Callback, GrainTimerCreationOptions Options) : IGrainTimer
    {
        public void Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => Running.Remove(this);
    }
}
