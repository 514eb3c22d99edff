using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Inference.Tests.Generation;

public sealed class UpdateReaderTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Next_TokensComeWithinTheInterval_AreInOneUpdate()
    {
        var sequence = New(maxTokens: 9);
        var reader = new UpdateReader(sequence, Interval, _time);
        Advance(sequence, 1);
        Assert.Equal("b", (await reader.Next(Cancellation))!.Text);
        Advance(sequence, 1);

        var next = reader.Next(Cancellation).AsTask();
        Advance(sequence, 2);
        Assert.False(next.IsCompleted);
        _time.Advance(Interval);

        var update = (await next)!;
        Assert.Equal(("cde", 3), (update.Text, update.Tokens.Count));
    }

    [Fact]
    public async Task Next_TokensComeMoreSlowly_DoesNotWait()
    {
        var sequence = New(maxTokens: 9);
        var reader = new UpdateReader(sequence, Interval, _time);
        Advance(sequence, 1);
        await reader.Next(Cancellation);

        _time.Advance(Interval);
        Advance(sequence, 1);

        Assert.True(reader.Next(Cancellation).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Next_AnswerEnds_WaitsNoLonger()
    {
        var sequence = New(maxTokens: 3);
        var reader = new UpdateReader(sequence, Interval, _time);
        Advance(sequence, 1);
        await reader.Next(Cancellation);
        Advance(sequence, 1);

        var next = reader.Next(Cancellation).AsTask();
        Advance(sequence, 1);

        Assert.Equal(("cd", FinishReason.Length), ((await next)!.Text, (await next)!.Result!.Reason));
        Assert.Null(await reader.Next(Cancellation));
    }

    [Fact]
    public async Task Next_AnswerFails_ReturnsTheTokensThenTheFault()
    {
        var sequence = New(maxTokens: 9);
        var reader = new UpdateReader(sequence, Interval, _time);
        Advance(sequence, 2);

        sequence.Fail(new DecodeException("broken", 1));

        Assert.Equal("bc", (await reader.Next(Cancellation))!.Text);
        await Assert.ThrowsAsync<DecodeException>(() => reader.Next(Cancellation).AsTask());
    }

    [Fact]
    public async Task Next_CancelledWhileItWaits_IsCancelled()
    {
        using var cancel = new CancellationTokenSource();
        var sequence = New(maxTokens: 9);
        var reader = new UpdateReader(sequence, Interval, _time);
        Advance(sequence, 1);
        await reader.Next(cancel.Token);
        Advance(sequence, 1);

        var next = reader.Next(cancel.Token).AsTask();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task Generate_WithAnInterval_HasTheSameTokensInFewerUpdates()
    {
        await using var engine = new Engine(
            new FakeContext(),
            new ByteVocabulary(),
            new EngineOptions(),
            TimeProvider.System,
            NullLogger<Engine>.Instance);
        async Task<List<GenerationUpdate>> Run(TimeSpan interval)
        {
            var request = new GenerationRequest { Session = "s", Prompt = ['a'], MaxTokens = 20, Interval = interval };
            var updates = new List<GenerationUpdate>();
            await foreach (var update in engine.Generate(
                request with { Sampling = new SamplingOptions { Temperature = 0 } }, Cancellation))
            {
                updates.Add(update);
            }

            return updates;
        }

        var each = await Run(TimeSpan.Zero);
        var joined = await Run(TimeSpan.FromHours(1));

        Assert.InRange(joined.Count, 1, 3);
        Assert.Equal(each.SelectMany(update => update.Tokens), joined.SelectMany(update => update.Tokens));
        Assert.Equal(
            string.Concat(each.Select(update => update.Text)), string.Concat(joined.Select(update => update.Text)));
        Assert.Equal(each[^1].Result!.Reason, joined[^1].Result!.Reason);
    }

    private Sequence New(int maxTokens)
    {
        var request = new GenerationRequest
        {
            Session = "s",
            Prompt = ['a'],
            MaxTokens = maxTokens,
            Sampling = new SamplingOptions { Temperature = 0 },
        };
        return new Sequence(request, new ByteVocabulary(), 64, _time, CancellationToken.None);
    }

    private static void Advance(Sequence sequence, int tokens)
    {
        var vocabulary = new ByteVocabulary();
        for (var i = 0; i < tokens; i++)
        {
            var logits = new float[vocabulary.Count];
            logits[sequence.Kv.Tokens[^1] + 1] = 10;
            sequence.Advance(logits, new Sampler(vocabulary));
        }
    }
}
