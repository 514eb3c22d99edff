using Herd.Inference.Runtime;
using Herd.Inference.Simulated;
using Herd.Testing;

namespace Herd.Inference.Tests.Simulated;

public sealed class SimulatedRuntimeTests
{
    private static readonly SimulatedTimings Timings = new()
    {
        PrefillPerSecond = 1000,
        Step = TimeSpan.FromMilliseconds(5),
        Sequence = TimeSpan.FromMilliseconds(2),
        CopiedPerSecond = 10_000,
        Load = TimeSpan.FromSeconds(3),
    };

    [Theory]
    [InlineData(1, 7)]
    [InlineData(4, 13)]
    public void Decode_Sequences_TakesTheTimeOfAStepAndOfEachSequence(int sequences, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Measure(context => context.Decode(Decoding(sequences))));

    [Fact]
    public void Decode_Prompt_TakesTheTimeOfItsTokens() =>
        Assert.Equal(TimeSpan.FromMilliseconds(5 + 2 + 99), Measure(context => context.Decode(Prompt(100))));

    [Fact]
    public void Decode_TenTimesFaster_TakesATenth() =>
        Assert.Equal(TimeSpan.FromMilliseconds(20), Measure(context => context.Decode(Prompt(194)), speed: 10));

    [Fact]
    public void Save_Tokens_TakesTheTimeOfTheirTransfer() => Assert.Equal(
        TimeSpan.FromMilliseconds(5 + 2 + 99 + 10),
        Measure(context =>
        {
            context.Decode(Prompt(100));
            using var state = new StateBuffer(context.StateBytes(0));
            context.Save(0, state);
        }));

    [Fact]
    public void Load_Model_TakesItsTime()
    {
        var time = new PatientTime();
        var started = time.GetTimestamp();

        using var model = new SimulatedRuntime(Timings, time).Load(
            "", new ModelOptions(), null, CancellationToken.None);

        Assert.Equal(Timings.Load, time.GetElapsedTime(started));
    }

    private static TimeSpan Measure(Action<ILlamaContext> action, double speed = 1)
    {
        var time = new PatientTime();
        var runtime = new SimulatedRuntime(Timings with { Speed = speed, Load = TimeSpan.Zero }, time);
        using var model = runtime.Load("", new ModelOptions(), null, CancellationToken.None);
        using var context =
            model.CreateContext(new ContextOptions { Sequences = 4, CellsPerSequence = 256, BatchTokens = 256 });
        var started = time.GetTimestamp();
        action(context);
        return time.GetElapsedTime(started);
    }

    private static TokenBatch Decoding(int sequences)
    {
        var batch = new TokenBatch(256);
        for (var i = 0; i < sequences; i++)
        {
            batch.Add('a', 0, i, output: true);
        }

        return batch;
    }

    private static TokenBatch Prompt(int tokens)
    {
        var batch = new TokenBatch(256);
        for (var i = 0; i < tokens; i++)
        {
            batch.Add('a', i, 0, output: i == tokens - 1);
        }

        return batch;
    }
}
