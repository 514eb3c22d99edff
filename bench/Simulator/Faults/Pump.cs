using System.Collections.Concurrent;

namespace Herd.Simulator.Faults;

/// <summary>
/// Runs everything on one thread, in the order in which it was posted. Meanwhile the thread pool stands still; it has its turn when
/// nothing else is left to do, and time passes when that is done too: so a run is a function of its seed.
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

    /// <summary>Does something on the pump's thread, whoever asks.</summary>
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

    /// <summary>Runs until a task is over.</summary>
    /// <param name="work">What is to be done, begun on this thread.</param>
    /// <param name="onTick">Called whenever time passes.</param>
    /// <param name="most">The longest it may take, in simulated time.</param>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public void Run(Func<Task> work, Action onTick, TimeSpan most)
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

                if (time.GetElapsedTime(started) > most)
                {
                    throw new TimeoutException($"It is not over after {most}.");
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

    /// <summary>Lets the thread pool do what was left to it.</summary>
    private void RunUntilQuiet()
    {
        do
        {
            _release.SetResult();
            Hold();
        }
        while (ThreadPool.PendingWorkItemCount > 0);
    }

    /// <summary>Makes the one thread of the pool wait, once it has done what was left to it before.</summary>
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
