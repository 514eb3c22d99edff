using System.Text;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Inference.Tests.Generation;

/// <summary>The engine's own behaviour, on a context that computes nothing.</summary>
public sealed class EngineTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_Prompt_StreamsTokensAndText()
    {
        await using var engine = New(new FakeContext());

        var (text, result) = await Run(engine, Request("s", "a", maxTokens: 4));

        Assert.Equal("bcde", text);
        Assert.Equal(FinishReason.Length, result.Reason);
        Assert.Equal((1, 0, 4), (result.PromptTokens, result.CachedTokens, result.CompletionTokens));
    }

    [Fact]
    public async Task SinceLastStep_AStepHangs_GrowsUntilItEnds()
    {
        var context = new FakeContext();
        await using var engine = New(context, time: context.Clock);
        context.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.Zero, engine.SinceLastStep);
        context.Hold();

        var running = Run(engine, Request("s", "a", maxTokens: 2));
        Assert.Equal(TimeSpan.Zero, engine.SinceLastStep);
        context.Clock.Advance(TimeSpan.FromSeconds(9));
        Assert.InRange(engine.SinceLastStep, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(10));
        context.LetGo();
        await running;

        // The answer is over a moment before the loop has nothing to do.
        while (engine.SinceLastStep != TimeSpan.Zero)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Generate_SecondTurn_ComputesOnlyWhatIsNew()
    {
        var context = new FakeContext();
        await using var engine = New(context);
        await Run(engine, Request("s", "abc", maxTokens: 2));
        context.Batches.Clear();

        var (_, result) = await Run(engine, Request("s", "abcdeXY", maxTokens: 1));

        // The answer's last token was never computed, so the cells have the first four tokens of abcde.
        Assert.Equal(4, result.CachedTokens);
        Assert.Equal(3, context.Batches.Sum(batch => batch.Length));
    }

    [Fact]
    public async Task Generate_SamePromptAgain_ComputesItsLastToken()
    {
        await using var engine = New(new FakeContext());
        var first = await Run(engine, Request("s", "abc", maxTokens: 3));

        var second = await Run(engine, Request("s", "abc", maxTokens: 3));

        Assert.Equal(first.Text, second.Text);
        Assert.Equal(2, second.Result.CachedTokens);
    }

    [Fact]
    public async Task Generate_OtherSessionSamePrompt_SharesNothing()
    {
        await using var engine = New(new FakeContext());
        await Run(engine, Request("s", "abc", maxTokens: 1));

        var (_, result) = await Run(engine, Request("other", "abc", maxTokens: 1));

        Assert.Equal(0, result.CachedTokens);
    }

    [Fact]
    public async Task Generate_MoreSessionsThanSlots_EvictsLongestUnused()
    {
        await using var engine = New(new FakeContext(sequences: 2));
        await Run(engine, Request("a", "abc", maxTokens: 1));
        await Run(engine, Request("b", "abc", maxTokens: 1));
        await Run(engine, Request("a", "abc", maxTokens: 1));
        await Run(engine, Request("c", "abc", maxTokens: 1));

        Assert.Equal(2, (await Run(engine, Request("a", "abc", maxTokens: 1))).Result.CachedTokens);
        Assert.Equal(0, (await Run(engine, Request("b", "abc", maxTokens: 1))).Result.CachedTokens);
    }

    [Fact]
    public async Task Generate_LongPromptWithDecoding_NeverSkipsTheOthersToken()
    {
        var context = new FakeContext(sequences: 2, cells: 256, batch: 8);
        context.Hold();
        await using var engine = New(context);
        var decoding = Run(engine, Request("short", "a", maxTokens: 60));
        context.Step(2);
        var prefilling = Run(engine, Request("long", new string('x', 100), maxTokens: 1));
        context.LetGo();
        await Task.WhenAll(decoding, prefilling);

        var together = context.Batches.Where(batch => batch.Contains(1)).ToList();
        Assert.All(together, batch => Assert.True(batch.Length <= 8));
        Assert.All(together, batch => Assert.Equal(1, batch.Count(sequence => sequence == 0)));
        Assert.True(together.Count >= 100 / 7, "The prompt was computed in chunks.");
    }

    [Fact]
    public async Task Generate_StopSequence_EndsBeforeIt()
    {
        await using var engine = New(new FakeContext());

        var (text, result) = await Run(engine, Request("s", "a") with { Stops = ["ef"] });

        Assert.Equal("bcd", text);
        Assert.Equal(FinishReason.StopSequence, result.Reason);
        Assert.Equal(5, result.CompletionTokens);
    }

    [Fact]
    public async Task Generate_EndOfContext_EndsWithLength()
    {
        await using var engine = New(new FakeContext(cells: 10));

        var (_, result) = await Run(engine, Request("s", "abcd"));

        Assert.Equal((FinishReason.Length, 6), (result.Reason, result.CompletionTokens));
    }

    [Fact]
    public async Task Generate_PromptFillsContext_SaysBothNumbers()
    {
        await using var engine = New(new FakeContext(cells: 10));

        var error = await Assert.ThrowsAsync<ContextOverflowException>(() => Run(engine, Request("s", "0123456789")));

        Assert.Equal((10, 10), (error.PromptTokens, error.ContextTokens));
    }

    [Theory]
    [InlineData(new int[0])]
    [InlineData(new[] { -1 })]
    [InlineData(new[] { 97, 258 })]
    public async Task Generate_NoTokensOrUnknownOnes_IsRefusedAndOthersGoOn(int[] prompt)
    {
        await using var engine = New(new FakeContext(sequences: 1));

        await Assert.ThrowsAsync<InvalidPromptException>(() => Run(engine, Request("s", "") with { Prompt = prompt }));

        Assert.Equal("bc", (await Run(engine, Request("s", "a", maxTokens: 2))).Text);
    }

    [Fact]
    public async Task Generate_OneAnswerBringsOutADefect_OthersGoOn()
    {
        var context = new FakeContext(cells: 4096) { Defect = 'x' };
        await using var engine = New(context);
        context.Hold();
        var one = Run(engine, Request("one", "w"));
        var other = Run(engine, Request("other", "a", maxTokens: 5));
        context.LetGo();

        await Assert.ThrowsAsync<AnswerFailedException>(() => one);
        Assert.Equal("bcdef", (await other).Text);
    }

    [Fact]
    public async Task Generate_EngineFails_SaysThatItFailed()
    {
        var context = new FakeContext { StepFault = new InvalidOperationException("a defect") };
        await using var engine = New(context);

        await Assert.ThrowsAsync<EngineFailedException>(() => Run(engine, Request("s", "a")));
    }

    [Fact]
    public async Task Generate_FromProducedTokens_GoesOnWithoutRepeating()
    {
        await using var engine = New(new FakeContext());

        var (text, result) = await Run(engine, Request("s", "a", maxTokens: 5) with { Produced = ['b', 'c'] });

        Assert.Equal("def", text);
        Assert.Equal(5, result.CompletionTokens);
    }

    [Theory]
    [InlineData("bcd", "zz", 3, FinishReason.Length)]
    [InlineData("bcd", "cd", 9, FinishReason.StopSequence)]
    public async Task Generate_ProducedTokensEndIt_FinishesAtOnce(
        string produced, string stop, int maxTokens, FinishReason reason)
    {
        await using var engine = New(new FakeContext());

        var (text, result) = await Run(
            engine, Request("s", "a", maxTokens) with { Produced = [.. produced.Select(c => (int)c)], Stops = [stop] });

        Assert.Equal("", text);
        Assert.Equal(reason, result.Reason);
    }

    [Fact]
    public async Task Generate_Cancelled_FreesSlotAtNextStep()
    {
        var context = new FakeContext(sequences: 1, cells: 4096);
        context.Hold();
        await using var engine = New(context);
        using var cancellation = new CancellationTokenSource();
        var endless = Run(engine, Request("a", "a"), cancellation.Token);
        context.Step();
        var waiting = Run(engine, Request("b", "a", maxTokens: 1));
        await cancellation.CancelAsync();

        // The first step was under way; the second one is of the sequence that waited.
        context.Step(2);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        await waiting;
    }

    [Fact]
    public async Task Generate_EnumerationLeft_FreesSlot()
    {
        await using var engine = New(new FakeContext(sequences: 1, cells: 4096));
        await foreach (var _ in engine.Generate(Request("a", "a"), Cancellation))
        {
            break;
        }

        await Run(engine, Request("b", "a", maxTokens: 1));
    }

    [Fact]
    public async Task Generate_StepFails_FailsItsAnswersOnly()
    {
        var context = new FakeContext();
        await using var engine = New(context);
        await Run(engine, Request("s", "abc", maxTokens: 1));
        context.FailNext = true;

        await Assert.ThrowsAsync<DecodeException>(() => Run(engine, Request("s", "abc", maxTokens: 1)));
        var (text, result) = await Run(engine, Request("s", "abc", maxTokens: 1));

        Assert.Equal("d", text);
        Assert.Equal(0, result.CachedTokens);
    }

    [Fact]
    public async Task Generate_TooManyWait_IsRefused()
    {
        var context = new FakeContext(sequences: 1);
        context.Hold();
        await using var engine = New(context, new EngineOptions { MaxQueued = 1 });
        var running = Run(engine, Request("a", "a", maxTokens: 1));
        var waiting = Run(engine, Request("b", "a", maxTokens: 1));

        await Assert.ThrowsAsync<EngineOverloadedException>(() => Run(engine, Request("c", "a", maxTokens: 1)));

        context.LetGo();
        await Task.WhenAll(running, waiting);
    }

    [Fact]
    public async Task Dispose_AnswerInTheMaking_FailsIt()
    {
        var context = new FakeContext(cells: 4096);
        context.Hold();
        var engine = New(context);
        var running = Run(engine, Request("a", "a"));
        context.Step();
        var stopping = engine.DisposeAsync();
        context.LetGo();
        await stopping;

        await Assert.ThrowsAsync<EngineStoppedException>(() => running);
        await Assert.ThrowsAsync<EngineStoppedException>(() => Run(engine, Request("b", "a")));
    }

    [Fact]
    public async Task Forget_IdleSession_ComputesItAnew()
    {
        await using var engine = New(new FakeContext());
        await Run(engine, Request("s", "abc", maxTokens: 1));
        engine.Forget("s");

        Assert.Equal(0, (await Run(engine, Request("s", "abc", maxTokens: 1))).Result.CachedTokens);
    }

    [Fact]
    public async Task Load_AfterTurn_CountsSessionsAndTokens()
    {
        var engine = New(new FakeContext(sequences: 3, cells: 64));
        await Run(engine, Request("s", "abc", maxTokens: 2));
        await engine.DisposeAsync();

        var load = engine.Load;
        Assert.Equal((3, 0, 0, 1), (load.Slots, load.Active, load.Queued, load.Sessions));
        Assert.Equal((4, 192), (load.KvTokens, load.KvCapacity));
    }

    private static Engine New(FakeContext context, EngineOptions? options = null, TimeProvider? time = null) => new(
        context, new ByteVocabulary(), options
            ?? new EngineOptions(), time ?? TimeProvider.System, NullLogger<Engine>.Instance);

    private static GenerationRequest Request(string session, string prompt, int maxTokens = int.MaxValue) => new()
    {
        Session = session,
        Prompt = [.. Encoding.UTF8.GetBytes(prompt).Select(b => (int)b)],
        MaxTokens = maxTokens,
        Sampling = new SamplingOptions { Temperature = 0 },
    };

    private static async Task<(string Text, GenerationResult Result)> Run(
        Engine engine, GenerationRequest request, CancellationToken? cancellation = null)
    {
        var text = new StringBuilder();
        GenerationResult? result = null;
        await foreach (var update in engine.Generate(request, cancellation ?? Cancellation))
        {
            text.Append(update.Text);
            result = update.Result;
        }

        return (text.ToString(), result!);
    }
}
