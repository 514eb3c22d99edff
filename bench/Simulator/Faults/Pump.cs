using System.Collections.Concurrent;

namespace Herd.Simulator.Faults;

/// <summary>
/// Runs all work on one thread, in the order in which it was posted. The thread pool runs only when this thread has
/// nothing left to do, and time passes only when the pool has nothing left either. So a run is a function of its seed.
/// </summary>
internal sealed class Pump(SimulatedTime time, TimeSpan tick) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _came = new();
    private TaskCompletionSource _release = new();

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Current == this)
        {
            _posted.Enqueue((d, state));
        }
        else
        {
            _came.Enqueue((d, state));
        }
    }

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs work on the pump's thread.</summary>
    public Task<T> Do<T>(Func<Task<T>> work)
    {
        if (Current == this)
        {
            return work();
        }

        var begun = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(_ => begun.SetResult(work()), null);
        return begun.Task.Unwrap();
    }

    /// <summary>Runs until a task completes.</summary>
    /// <param name="work">The work. It begins on this thread.</param>
    /// <param name="onTick">Called whenever time passes.</param>
    /// <param name="limit">The maximum simulated time.</param>
    /// <exception cref="TimeoutException">The work took longer.</exception>
    public void Run(Func<Task> work, Action onTick, TimeSpan limit)
    {
        var before = Current;
        SetSynchronizationContext(this);
        Hold();
        try
        {
            var started = time.GetTimestamp();
            var running = work();
            while (!running.IsCompleted)
            {
                if (_posted.TryDequeue(out var next))
                {
                    next.Callback(next.State);
                    continue;
                }

                RunUntilQuiet();
                while (_came.TryDequeue(out var came))
                {
                    _posted.Enqueue(came);
                }

                if (_posted.Count > 0)
                {
                    continue;
                }

                if (time.GetElapsedTime(started) > limit)
                {
                    throw new TimeoutException($"The work is not complete after {limit}.");
                }

                onTick();
                time.Advance(tick);
            }

            running.GetAwaiter().GetResult();
        }
        finally
        {
            _release.SetResult();
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Lets the thread pool run until it has no work.</summary>
    private void RunUntilQuiet()
    {
        do
        {
            _release.SetResult();
            Hold();
        }
        while (ThreadPool.PendingWorkItemCount > 0);
    }

    /// <summary>Makes the pool's one thread wait after the work that it has now.</summary>
    private void Hold()
    {
        var held = new TaskCompletionSource();
        _release = new TaskCompletionSource();
        ThreadPool.UnsafeQueueUserWorkItem(
            static turn =>
            {
                turn.Held.SetResult();
                turn.Release.Task.Wait();
            },
            (Held: held, Release: _release),
            preferLocal: false);
        held.Task.Wait();
    }
}
