namespace Herd.Inference.Generation;

/// <summary>Runs the loops of engines.</summary>
public interface IEngineRunner
{
    /// <summary>
    /// Starts to call <see cref="Engine.Advance"/>, from one thread at a time, until it returns false.
    /// </summary>
    void Start(Engine engine);
}

/// <summary>Runs each engine on a thread of its own.</summary>
public sealed class EngineThread : IEngineRunner
{
    public void Start(Engine engine) =>
        new Thread(() => Run(engine)) { Name = "herd engine", IsBackground = true }.Start();

    private static void Run(Engine engine)
    {
        while (engine.Advance(Timeout.InfiniteTimeSpan))
        {
            // Each call computes one step.
        }
    }
}
