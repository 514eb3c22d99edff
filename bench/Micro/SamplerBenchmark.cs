using BenchmarkDotNet.Attributes;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;

namespace Herd.Micro;

/// <summary>Samples one token of a vocabulary of SmolLM2's size, from logits distributed like a model's.</summary>
[MemoryDiagnoser]
public class SamplerBenchmark
{
    private const int Vocabulary = 49_152;
    private const int Prompt = 400;

    private readonly float[] _logits = new float[Vocabulary];
    private readonly int[] _tokens = new int[Prompt + 100];
    private readonly Sampler _sampler = new(new AnyVocabulary());
    private SamplingState _state = null!;

    [ParamsAllValues]
    public Kind How { get; set; }

    public enum Kind
    {
        Greedy,
        Plain,
        TopKAndP,
        Penalized,
        Typical,
        Dry,
        Mirostat,
    }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        for (var i = 0; i < Vocabulary; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            _logits[i] = (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble()) * 3);
        }

        for (var i = 0; i < _tokens.Length; i++)
        {
            _tokens[i] = random.Next(Vocabulary);
        }

        _state = new SamplingState(
            How switch
            {
                Kind.Greedy => new SamplingOptions { Temperature = 0 },
                Kind.TopKAndP => new SamplingOptions { Temperature = 0.8f, TopK = 40, TopP = 0.95f, MinP = 0.05f },
                Kind.Penalized => new SamplingOptions
                {
                    TopK = 40, Penalties = new PenaltyOptions { Repetition = 1.1f, Frequency = 0.1f },
                },
                Kind.Typical => new SamplingOptions { Typical = 0.9f },
                Kind.Dry => new SamplingOptions { TopK = 40, Dry = new DryOptions(0.8f) },
                Kind.Mirostat => new SamplingOptions { Mirostat = new MirostatOptions() },
                _ => new SamplingOptions(),
            },
            mirostatMu: null);
    }

    [Benchmark]
    public int Sample() => _sampler.Sample(_logits, _state, _tokens, Prompt);

    private sealed class AnyVocabulary : IVocabulary
    {
        public int Count => Vocabulary;

        public int? BeginningOfText => null;

        public string BeginningOfTextPiece => "";

        public string EndOfTextPiece => "";

        public int[] Tokenize(string text, bool parseSpecial) => [];

        public ReadOnlySpan<byte> Bytes(int token) => [];

        public string Name(int token) => "";

        public bool IsEndOfGeneration(int token) => false;

        public bool IsSpecial(int token) => false;
    }
}
