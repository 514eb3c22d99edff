namespace Herd.Inference.Generation;

/// <summary>
/// Runs the passes of a loop on the calling thread and on pool threads that start in time. Unlike <see
/// cref="Parallel"/> it allocates nothing for each run.
/// </summary>
internal sealed class ParallelLoop
{
    private readonly Action<int, int> _pass;
    private readonly Helper[] _helpers;
    private int _left;
    private int _done;
    private Exception? _fault;

    /// <param name="threads">The maximum number of threads, including the calling thread; 1 or more.</param>
    /// <param name="pass">
    /// Called with the pass and the thread, both from 0. Passes with the same thread never run at once.
    /// </param>
    public ParallelLoop(int threads, Action<int, int> pass)
    {
        _pass = pass;
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(thread => new Helper(this, thread))];
    }

    /// <summary>Runs the passes. If a pass throws, its exception is thrown after all passes are done.</summary>
    public void Run(int passes)
    {
        _done = 0;
        Volatile.Write(ref _left, passes);
        for (var i = 0; i < Math.Min(_helpers.Length, passes - 1); i++)
        {
            _helpers[i].Wake();
        }

        RunPasses(thread: 0);
        for (var wait = default(SpinWait); Volatile.Read(ref _done) < passes;)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }

        if (_fault is { } fault)
        {
            _fault = null;
            throw fault;
        }
    }

    private void RunPasses(int thread)
    {
        // A thread that starts late finds no passes left, or takes passes of the next run.
        for (int pass; (pass = Interlocked.Decrement(ref _left)) >= 0;)
        {
            try
            {
                _pass(pass, thread);
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
            loop.RunPasses(thread);
            Volatile.Write(ref _awake, 0);
        }
    }
}
