using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Logging.Abstractions;

namespace Herd.Inference.Tests.Generation;

/// <summary>Tests beside which no other test runs: they count the allocations of the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class AllocationTests
{
    private const int BytesPerToken = 1000;

    public static TheoryData<SamplingOptions> Kinds => [
        new SamplingOptions { Temperature = 0 },
        new SamplingOptions
        {
            Temperature = 0.8f,
            TopK = 40,
            TopP = 0.95f,
            MinP = 0.05f,
            Penalties = new PenaltyOptions { Repetition = 1.1f },
        },
        new SamplingOptions { Typical = 0.9f },
        new SamplingOptions { Dry = new DryOptions(0.8f) },
        new SamplingOptions { Mirostat = new MirostatOptions() },
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Generate_Steadily_AllocatesLessThanAKilobyteAToken(SamplingOptions sampling)
    {
        foreach (var streams in new[] { 1, 4, 16 })
        {
            await using var engine = New(streams);
            await Generate(engine, streams, tokens: 100, sampling);

            var before = GC.GetTotalAllocatedBytes(precise: true);
            await Generate(engine, streams, tokens: 100, sampling);
            var begun = GC.GetTotalAllocatedBytes(precise: true);
            await Generate(engine, streams, tokens: 600, sampling);
            var ended = GC.GetTotalAllocatedBytes(precise: true);

            // Both differences include the allocations of a turn that do not depend on its tokens.
            var perToken = (ended - begun - (begun - before)) / (500.0 * streams);
            TestContext.Current.TestOutputHelper!.WriteLine($"{streams} streams: {perToken:0} bytes a token");
            Assert.InRange(perToken, 0, BytesPerToken);
        }
    }

    private static Engine New(int streams)
    {
        var runtime = new SimulatedRuntime(new SimulatedTimings { Speed = 1e6 }, TimeProvider.System);
        var model = runtime.Load("", new ModelOptions(), null, CancellationToken.None);
        return new Engine(
            model.CreateContext(new ContextOptions { Sequences = streams, CellsPerSequence = 1024 }),
            model.Vocabulary,
            new EngineOptions(),
            TimeProvider.System,
            NullLogger<Engine>.Instance);
    }

    private static Task Generate(Engine engine, int streams, int tokens, SamplingOptions sampling) =>
        Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
        {
            var request = new GenerationRequest
            {
                Session = $"s{i}",
                Prompt = [i, 1, 2],
                MaxTokens = tokens,
                Sampling = sampling with { IgnoreEnd = true, Seed = (ulong)i },
            };
            await foreach (var _ in engine.Generate(request, TestContext.Current.CancellationToken))
            {
                // Read as a caller does.
            }
        }));
}
