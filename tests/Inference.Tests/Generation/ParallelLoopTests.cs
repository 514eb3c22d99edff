using Herd.Inference.Generation;

namespace Herd.Inference.Tests.Generation;

public sealed class ParallelLoopTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Run_AgainAndAgain_RunsEachPassOnceAndNoThreadTwiceAtOnce(int threads)
    {
        var runs = new int[64];
        var busy = new int[threads];
        var loop = new ParallelLoop(threads, (pass, thread) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref busy[thread]));
            Interlocked.Increment(ref runs[pass]);
            Interlocked.Decrement(ref busy[thread]);
        });
        for (var i = 0; i < 20_000; i++)
        {
            var passes = i % runs.Length;
            Array.Clear(runs);

            loop.Run(passes);

            Assert.True(runs.Take(passes).All(count => count == 1) && runs.Skip(passes).All(count => count == 0));
        }
    }

    [Fact]
    public void Run_APassThrows_ThrowsAfterTheOthersEnded()
    {
        var done = 0;
        var loop = new ParallelLoop(4, (pass, _) =>
        {
            if (pass == 3)
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
