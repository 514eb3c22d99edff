using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Simulator.Faults;

/// <summary>
/// Runs everything on one thread, in the order in which it was posted. Time passes only when nobody has anything to do, so a run
/// is a function of its seed.
/// </summary>
internal sealed class Pump(FakeTimeProvider time) : SynchronizationContext, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly ManualResetEventSlim _settled = new();
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _posted = new();

    public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue((d, state));

    /// <summary>Runs until a task is over.</summary>
    /// <param name="work">What is to be done, begun on this thread.</param>
    /// <param name="onTick">Called whenever time passes.</param>
    /// <param name="most">The longest it may take, in simulated time.</param>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public void Run(Func<Task> work, Action onTick, TimeSpan most)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var started = time.GetTimestamp();
            var running = work();
            while (!running.IsCompleted)
            {
                Settle();
                if (_posted.TryDequeue(out var next))
                {
                    next.Callback(next.State);
                    continue;
                }

                if (time.GetElapsedTime(started) > most)
                {
                    throw new TimeoutException($"It is not over after {most}.");
                }

                onTick();
                time.Advance(Tick);
            }

            running.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Some of .NET's tasks pass through the thread pool on their way back here; it has one thread, so they keep their order.</summary>
    private void Settle()
    {
        _settled.Reset();
        ThreadPool.UnsafeQueueUserWorkItem(static settled => settled.Set(), _settled, preferLocal: false);
        _settled.Wait();
    }

    public void Dispose() => _settled.Dispose();
}
