namespace Herd.Inference.Generation;

/// <summary>
/// Runs the passes of a loop on the calling thread and on as many of the pool's as come in time. It allocates nothing, as
/// <see cref="Parallel"/> would at every step.
/// </summary>
internal sealed class ParallelLoop
{
    private readonly Action<int, int> _pass;
    private readonly Helper[] _helpers;
    private int _left;
    private int _done;
    private Exception? _fault;

    /// <param name="threads">How many take part, the calling one among them.</param>
    /// <param name="pass">Given the pass, and the thread from 0 on; no two passes run at once with the same thread.</param>
    public ParallelLoop(int threads, Action<int, int> pass)
    {
        _pass = pass;
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(thread => new Helper(this, thread))];
    }

    /// <summary>Runs so many passes. What they throw is thrown here, once all are done.</summary>
    public void Run(int passes)
    {
        _done = 0;
        Volatile.Write(ref _left, passes);
        for (var i = 0; i < Math.Min(_helpers.Length, passes - 1); i++)
        {
            _helpers[i].Wake();
        }

        TakePart(thread: 0);
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

    private void TakePart(int thread)
    {
        // Who comes too late finds nothing left, and who comes even later has a part in the next loop.
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
            loop.TakePart(thread);
            Volatile.Write(ref _awake, 0);
        }
    }
}
