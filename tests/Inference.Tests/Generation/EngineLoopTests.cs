using Herd.Inference.Generation;
using Herd.Inference.Kv;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Inference.Tests.Generation;

/// <summary>
/// The cost of scheduling, on the simulated runtime and a clock that only its work advances: exact every time.
/// </summary>
public sealed class EngineLoopTests
{
    private const int Slots = 8;
    private const int Sessions = 64;
    private const int Answer = 64;
    private const int Cells = 2048;

    /// <summary>
    /// Preemption with long histories costs little throughput, even with little host memory.
    /// </summary>
    [Theory]
    [InlineData(200, 1L << 30)]
    [InlineData(1500, 1L << 30)]
    [InlineData(1500, 100_000)]
    [InlineData(1500, 0)]
    public void Step_ManyMoreSessionsThanSlots_PreemptionCostsAtMostAThird(int history, long hostBytes)
    {
        var one = Run(history, hostBytes, quantum: int.MaxValue);
        var turns = Run(history, hostBytes, quantum: 16);

        Assert.InRange(turns.Total / one.Total, 0.5, 1.34);
    }

    [Fact]
    public void Step_ManyMoreSessionsThanSlots_PreemptionBringsFirstTokensSooner()
    {
        var one = Run(history: 200, 1L << 30, quantum: int.MaxValue);
        var turns = Run(history: 200, 1L << 30, quantum: 16);

        Assert.True(turns.MedianFirst < 0.6 * one.MedianFirst, $"{turns.MedianFirst} s against {one.MedianFirst} s");
    }

    /// <summary>
    /// The next message of a user is computed before another user's long prompt, unless that prompt reached the
    /// starvation limit.
    /// </summary>
    [Theory]
    [InlineData(30, true)]
    [InlineData(0, false)]
    public void Step_ShortPromptBehindALongOne_PassesItUntilThatHasWaitedTooLong(int starvationLimit, bool passes)
    {
        var time = new PatientTime();
        using var model = new SimulatedRuntime(new SimulatedTimings(), time).Load(
            "", new ModelOptions(), null, CancellationToken.None);
        using var context = model.CreateContext(new ContextOptions { Sequences = Slots, CellsPerSequence = Cells });
        var rates = new KvRates();
        using var cache = new KvCache(
            context, new OffloadedSessions(0, null, rates, time), rates, time, NullLogger.Instance);
        var options = new EngineOptions
        {
            Speculate = false,
            SamplingThreads = 1,
            StarvationLimit = TimeSpan.FromSeconds(starvationLimit),
        };
        var loop = new EngineLoop(
            context, model.Vocabulary, cache, rates, options, time, NullLogger.Instance) { Finished = () => { } };
        var (speaker, lengthy, brief) =
            (New(model, time, 0, 10, 500), New(model, time, 1, 1500, 10), New(model, time, 2, 20, 10));
        loop.Enqueue(speaker);
        while (!speaker.IsDecoding)
        {
            loop.Step();
        }

        loop.Enqueue(lengthy);
        loop.Step();
        loop.Enqueue(brief);
        loop.Step();

        Assert.Equal((passes, false), (brief.IsDecoding, lengthy.IsDecoding));
        while (!lengthy.IsDecoding || !brief.IsDecoding)
        {
            loop.Step();
        }
    }

    /// <summary>
    /// A tenant that comes while two others have long prompts was served least, so its prompt is in one of the next two
    /// steps. The load says what each has.
    /// </summary>
    [Fact]
    public void Step_ShortPromptBesideLongOnesOfTwoTenants_IsComputedNext()
    {
        const int LongPrompt = 7000;
        const int LongCells = 8192;
        var time = new PatientTime();
        using var model = new SimulatedRuntime(new SimulatedTimings(), time).Load(
            "", new ModelOptions(), null, CancellationToken.None);
        using var context = model.CreateContext(new ContextOptions { Sequences = Slots, CellsPerSequence = LongCells });
        var rates = new KvRates();
        using var cache = new KvCache(
            context, new OffloadedSessions(0, null, rates, time), rates, time, NullLogger.Instance);
        var options = new EngineOptions { Speculate = false, SamplingThreads = 1 };
        var loop = new EngineLoop(
            context, model.Vocabulary, cache, rates, options, time, NullLogger.Instance) { Finished = () => { } };
        var (a, b) = (
            New(model, time, 0, LongPrompt, 10, "a", LongCells), New(model, time, 1, LongPrompt, 10, "b", LongCells));
        loop.Enqueue(a);
        loop.Enqueue(b);
        loop.Step();
        loop.Step();
        var left = loop.Load.Tenants.ToDictionary(tenant => tenant.Tenant, tenant => tenant.Tokens);
        var brief = New(model, time, 2, 32, 10, "c", LongCells);
        loop.Enqueue(brief);

        loop.Step();
        var isNext = brief.IsDecoding;
        loop.Step();

        Assert.True(isNext || brief.IsDecoding);
        Assert.False(a.IsDecoding || b.IsDecoding);
        Assert.InRange(left["a"], 1, LongPrompt);
        Assert.InRange(left["b"], 1, LongPrompt);
        loop.Abort(new OperationCanceledException());
    }

    /// <summary>Every session has a history, and all send another turn at the same time.</summary>
    /// <returns>The simulated seconds until the last answer ends, and the median time to the first token.</returns>
    private static (double Total, double MedianFirst) Run(int history, long hostBytes, int quantum)
    {
        var time = new PatientTime();
        using var model = new SimulatedRuntime(new SimulatedTimings(), time).Load(
            "", new ModelOptions(), null, CancellationToken.None);
        using var context = model.CreateContext(new ContextOptions { Sequences = Slots, CellsPerSequence = Cells });
        var rates = new KvRates();
        using var cache = new KvCache(
            context, new OffloadedSessions(hostBytes, null, rates, time), rates, time, NullLogger.Instance);
        var options = new EngineOptions
        {
            Quantum = quantum,
            Speculate = false,
            SamplingThreads = 1,
            StarvationLimit = TimeSpan.FromHours(1),
        };
        var loop = new EngineLoop(
            context, model.Vocabulary, cache, rates, options, time, NullLogger.Instance) { Finished = () => { } };
        for (var session = 0; session < Sessions; session++)
        {
            loop.Enqueue(New(model, time, session, history, tokens: 1));
            Finish();
            while (cache.OffloadOne())
            {
                // Offloads while no request waits, as the engine does.
            }
        }

        var started = time.GetTimestamp();
        var sequences = Enumerable.Range(0, Sessions)
            .Select(session => New(model, time, session, history + 10, Answer))
            .ToList();
        sequences.ForEach(loop.Enqueue);
        var firsts = new List<double>();
        while (loop.CanCompute)
        {
            loop.Step();
            firsts.AddRange(Enumerable.Repeat(
                time.GetElapsedTime(started).TotalSeconds,
                sequences.Count(sequence => sequence.IsDecoding) - firsts.Count));
        }

        Assert.Equal(Sessions, firsts.Count);
        return (time.GetElapsedTime(started).TotalSeconds, firsts[Sessions / 2]);

        void Finish()
        {
            while (loop.CanCompute)
            {
                loop.Step();
            }
        }
    }

    private static Sequence New(
        ILlamaModel model,
        TimeProvider time,
        int session,
        int count,
        int tokens,
        string tenant = "",
        int cells = Cells)
    {
        var random = new Random(session);
        var request = new GenerationRequest
        {
            Session = $"s{session}",
            Tenant = tenant,
            Prompt = [.. Enumerable.Range(0, count).Select(_ => random.Next('a', 'z'))],
            MaxTokens = tokens,
            Sampling = new SamplingOptions { Temperature = 0, IgnoreEnd = true },
        };
        return new Sequence(request, model.Vocabulary, cells, time, CancellationToken.None);
    }
}
