using FsCheck;
using FsCheck.Xunit;

namespace Herd.Inference.Tests.Generation;

/// <summary>The engine cannot be stalled by what it is given: 100,000 steps of random requests and faults.</summary>
public sealed class ProgressTests
{
    private const int Runs = 160;
    private const int Steps = 500;

    /// <summary>
    /// Whatever is requested, cancelled and fails: the loop goes on, nobody waits long while a slot is free, cancelled
    /// sequences are gone after a step, every request ends with the right answer or a typed error, and what ended has
    /// freed all it held.
    /// </summary>
    [Property(MaxTest = Runs)]
    public void Step_RandomRequestsCancellationsAndFaults_AlwaysProgresses(DoNotSize<int> seed)
    {
        using var run = new ProgressRun(seed.Item);
        for (var step = 0; step < Steps; step++)
        {
            run.Act();
            run.Step();
        }

        run.EndAll();
    }
}
