namespace Herd.Inference.Generation;

/// <summary>
/// Runs the iterations of a loop on the calling thread and on pool threads that start in time. Unlike <see
/// cref="Parallel"/> it allocates nothing for each run.
/// </summary>
internal sealed class ParallelLoop
{
    private readonly Action<int, int> _iteration;
    private readonly Helper[] _helpers;
    private int _left;
    private int _done;
    private Exception? _fault;

    /// <param name="threads">The maximum number of threads, including the calling thread; 1 or more.</param>
    /// <param name="iteration">
    /// Called with the iteration and the thread, both from 0. Iterations with the same thread never run at once.
    /// </param>
    public ParallelLoop(int threads, Action<int, int> iteration)
    {
        _iteration = iteration;
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(thread => new Helper(this, thread))];
    }

    /// <summary>Runs the iterations. If one throws, its exception is thrown after all iterations are done.</summary>
    public void Run(int iterations)
    {
        _done = 0;
        Volatile.Write(ref _left, iterations);
        for (var i = 0; i < Math.Min(_helpers.Length, iterations - 1); i++)
        {
            _helpers[i].Wake();
        }

        RunIterations(thread: 0);
        for (var wait = default(SpinWait); Volatile.Read(ref _done) < iterations;)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }

        if (_fault is { } fault)
        {
            _fault = null;
            throw fault;
        }
    }

    private void RunIterations(int thread)
    {
        // A thread that starts late finds no iterations left, or takes iterations of the next run.
        for (int iteration; (iteration = Interlocked.Decrement(ref _left)) >= 0;)
        {
            try
            {
                _iteration(iteration, thread);
            }
            catch (Exception e)
            {
                _fault = e;
            }

            Interlocked.Increment(ref _done);
        }
    }

    private sealed class Helper(ParallelLoop loop, int thread) : IThreadPoolWorkItem
    {
        private int _awake;

        public void Wake()
        {
            if (Interlocked.Exchange(ref _awake, 1) == 0)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
        }

        public void Execute()
        {
            loop.RunIterations(thread);
            Volatile.Write(ref _awake, 0);
        }
    }
}
