using Herd.Inference.Generation;

namespace Herd.Inference.Tests.Generation;

public sealed class ParallelLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Run_AgainAndAgain_RunsEachIterationOnceAndNoThreadTwiceAtOnce(int threads)
    {
        var runs = new int[64];
        var busy = new int[threads];
        var loop = new ParallelLoop(threads, (iteration, thread) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref busy[thread]));
            Interlocked.Increment(ref runs[iteration]);
            Interlocked.Decrement(ref busy[thread]);
        });
        for (var i = 0; i < 20_000; i++)
        {
            var count = i % runs.Length;
            Array.Clear(runs);

            loop.Run(count);

            Assert.True(runs.Take(count).All(run => run == 1) && runs.Skip(count).All(run => run == 0));
        }
    }

    [Fact]
    public void Run_AnIterationThrows_ThrowsAfterTheOthersEnded()
    {
        var done = 0;
        var loop = new ParallelLoop(4, (iteration, _) =>
        {
            if (iteration == 3)
            {
                throw new InvalidDataException("broken");
            }

            Interlocked.Increment(ref done);
        });

        Assert.Throws<InvalidDataException>(() => loop.Run(8));
        Assert.Equal(7, done);
        loop.Run(3);
        Assert.Equal(10, done);
    }
}
