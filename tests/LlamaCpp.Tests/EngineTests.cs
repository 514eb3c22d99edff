using System.Text;
using System.Text.Json;
using Herd.Inference.Chat;
using Herd.Inference.Generation;
using Herd.Inference.Grammars;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.LlamaCpp.Tests;

/// <summary>The engine on real computation: the model of the repository, and the tiny one.</summary>
[Collection(nameof(Models))]
public sealed class EngineTests(Models models)
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_CapitalOfFrance_IsParis()
    {
        await using var engine = New(models.Real);
        var prompt = Prompt(models.Real, new ChatMessage(ChatRole.User, "What is the capital of France?"));

        var answer = await Run(engine, "s", prompt, Greedy);

        Assert.Equal("The capital of France is Paris, France.", answer.Text);
        Assert.Equal(FinishReason.EndOfText, answer.Result.Reason);
    }

    [Fact]
    public async Task Generate_NextTurn_FindsTheWholeHistoryCached()
    {
        await using var engine = New(models.Real);
        ChatMessage question = new(ChatRole.User, "What is the capital of France?");
        var first = await Run(engine, "s", Prompt(models.Real, question), Greedy);
        var prompt = Prompt(
            models.Real,
            question,
            new(ChatRole.Assistant, first.Text, first.Tokens),
            new(ChatRole.User, "And of Italy?"));

        var second = await Run(engine, "s", prompt, Greedy);

        Assert.Equal(first.Result.PromptTokens + first.Tokens.Count, second.Result.CachedTokens);
        Assert.Contains("Rome", second.Text, StringComparison.Ordinal);
    }

    /// <summary>
    /// Slots change hands all the time here. Batches of other sizes add up in another order, so logits differ in their
    /// last bits; the tiny model's random weights keep the best two tokens far apart beside that. From 64 tokens of one
    /// sequence on, llama.cpp's attention rounds otherwise, a thousand times as much, so what is replayed here is
    /// replayed in less.
    /// </summary>
    [Fact]
    public async Task Generate_ThirtyTwoAtOnce_EachEqualsItsAnswerAlone()
    {
        const int Streams = 32;
        var prompts = Enumerable.Range(0, Streams)
            .Select(i => Prompt(
                models.Tiny, new ChatMessage(ChatRole.User, $"{i}: {new string((char)('a' + i % 26), 1 + i * 3)}")))
            .ToList();
        await using var alone = New(models.Tiny, slots: 1, batchTokens: 63);
        var expected = new List<Answer>();
        foreach (var prompt in prompts)
        {
            expected.Add(await Run(alone, "s", prompt, Greedy, maxTokens: 48));
        }

        var options = new EngineOptions { Speculate = false, Quantum = 16 };
        await using var together = New(models.Tiny, slots: 8, batchTokens: 63, options: options);
        var answers =
            await Task.WhenAll(prompts.Select((prompt, i) => Run(together, $"s{i}", prompt, Greedy, maxTokens: 48)));

        Assert.Equal(expected.Select(answer => answer.Tokens), answers.Select(answer => answer.Tokens));
        Assert.Equal(expected.Select(answer => answer.Text), answers.Select(answer => answer.Text));
    }

    [Fact]
    public async Task Generate_SameSeed_GivesSameAnswerOnAnotherEngine()
    {
        var prompt = Prompt(models.Tiny, new ChatMessage(ChatRole.User, "hello"));
        await using var one = New(models.Tiny);
        await using var other = New(models.Tiny);
        var sampling = new SamplingOptions { Temperature = 0.8f, TopP = 0.9f, Seed = 11 };

        var first = await Run(one, "s", prompt, sampling, maxTokens: 32);
        var second = await Run(other, "t", prompt, sampling, maxTokens: 32);
        var third = await Run(other, "u", prompt, sampling with { Seed = 12 }, maxTokens: 32);

        Assert.Equal(first.Tokens, second.Tokens);
        Assert.NotEqual(first.Tokens, third.Tokens);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.9f)]
    public async Task Generate_ResumedOnAnotherEngine_ContinuesTheSame(float temperature)
    {
        var prompt = Prompt(models.Tiny, new ChatMessage(ChatRole.User, "tell me"));
        var sampling = new SamplingOptions { Temperature = temperature, Seed = 5 };
        await using var engine = New(models.Tiny);
        var whole = await Run(engine, "whole", prompt, sampling, maxTokens: 40);

        foreach (var cut in new[] { 1, 7, 20, 39 })
        {
            await using var other = New(models.Tiny);
            var rest = await Run(other, "rest", prompt, sampling, maxTokens: 40, produced: whole.Tokens[..cut]);

            Assert.Equal(whole.Tokens[cut..], rest.Tokens);
            Assert.EndsWith(rest.Text, whole.Text, StringComparison.Ordinal);
            Assert.Equal(40, rest.Result.CompletionTokens);
        }
    }

    [Fact]
    public async Task Generate_StopAcrossTokens_EndsBeforeIt()
    {
        await using var engine = New(models.Real);
        var prompt = Prompt(models.Real, new ChatMessage(ChatRole.User, "What is the capital of France?"));

        var answer = await Run(engine, "s", prompt, Greedy, stops: ["ance is Par"]);

        Assert.Equal("The capital of Fr", answer.Text);
        Assert.Equal(FinishReason.StopSequence, answer.Result.Reason);
    }

    [Fact]
    public async Task Generate_PromptOverContext_NamesBothNumbers()
    {
        await using var engine = New(models.Tiny, cells: 256);

        var error = await Assert.ThrowsAsync<ContextOverflowException>(() => Run(engine, "s", new int[300], Greedy));

        Assert.Equal((300, 256), (error.PromptTokens, error.ContextTokens));
    }

    [Fact]
    public async Task Generate_Evicted_GivesTheSameAnswer()
    {
        await using var engine = New(models.Tiny, slots: 2);
        var prompts = Enumerable.Range(0, 5)
            .Select(i => Prompt(models.Tiny, new ChatMessage(ChatRole.User, $"canary {i}")))
            .ToList();
        var first = new List<Answer>();
        foreach (var (i, prompt) in prompts.Index())
        {
            first.Add(await Run(engine, $"s{i}", prompt, Greedy, maxTokens: 24));
        }

        foreach (var (i, prompt) in prompts.Index())
        {
            var again = await Run(engine, $"s{i}", prompt, Greedy, maxTokens: 24);
            Assert.Equal(first[i].Tokens, again.Tokens);
        }
    }

    /// <summary>In a repetitive text draft tokens are accepted. The answer is the same as without them.</summary>
    [Fact]
    public async Task Generate_WithDraftTokens_GivesTheSameAnswer()
    {
        var prompt = Prompt(
            models.Tiny, new ChatMessage(ChatRole.User, string.Concat(Enumerable.Repeat("over and over ", 12))));
        await using var drafting = New(models.Tiny);
        await using var plain = New(models.Tiny, options: new EngineOptions { Speculate = false });

        foreach (var sampling in new[] { Greedy, new SamplingOptions { Temperature = 0.7f, TopP = 0.9f, Seed = 3 } })
        {
            Assert.Equal(
                (await Run(plain, "s", prompt, sampling, maxTokens: 300)).Tokens,
                (await Run(drafting, "s", prompt, sampling, maxTokens: 300)).Tokens);
        }
    }

    [Fact]
    public async Task Generate_JsonSchema_IsValidUnderIt()
    {
        await using var engine = New(models.Real);
        var grammar = new GrammarCache(models.Real.Vocabulary).ForSchema(
            """{"type":"object","properties":{"city":{"type":"string","maxLength":20},"capital":"""
                + """{"type":"boolean"}},"required":["city","capital"]}""");
        var prompt = Prompt(models.Real, new ChatMessage(ChatRole.User, "Describe Paris as JSON."));

        var answer = await Run(engine, "s", prompt, Greedy with { Grammar = grammar });

        Assert.Equal(FinishReason.EndOfText, answer.Result.Reason);
        using var document = JsonDocument.Parse(answer.Text);
        Assert.Equal(JsonValueKind.String, document.RootElement.GetProperty("city").ValueKind);
        Assert.True(document.RootElement.TryGetProperty("capital", out _));
    }

    private static Engine New(
        ILlamaModel model, int slots = 4, int cells = 1024, int batchTokens = 128, EngineOptions? options = null) =>
        new(
            model.CreateContext(
                new ContextOptions
                {
                    Sequences = slots,
                    CellsPerSequence = cells,
                    BatchTokens = batchTokens,
                    Threads = 1,
                }),
            model.Vocabulary,
            options ?? new EngineOptions(),
            TimeProvider.System,
            NullLogger<Engine>.Instance);

    private static int[] Prompt(ILlamaModel model, params ChatMessage[] messages)
    {
        using var template = new ChatTemplate(model.Info.ChatTemplate!, model.Vocabulary);
        return template.Render(messages);
    }

    private static async Task<Answer> Run(
        Engine engine,
        string session,
        int[] prompt,
        SamplingOptions sampling,
        int maxTokens = 64,
        IReadOnlyList<int>? produced = null,
        IReadOnlyList<string>? stops = null)
    {
        var text = new StringBuilder();
        var tokens = new List<int>();
        var request = new GenerationRequest
        {
            Session = session,
            Prompt = prompt,
            Produced = produced ?? [],
            Sampling = sampling,
            MaxTokens = maxTokens,
            Stops = stops ?? [],
        };
        await foreach (var update in engine.Generate(request, Cancellation))
        {
            text.Append(update.Text);
            tokens.AddRange(update.Tokens);
            if (update.Result is { } result)
            {
                return new Answer(text.ToString(), tokens, result);
            }
        }

        throw new InvalidOperationException("The answer ended without a result.");
    }

    private sealed record Answer(string Text, List<int> Tokens, GenerationResult Result);
}
