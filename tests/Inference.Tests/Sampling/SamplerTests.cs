using FsCheck.Xunit;
using Herd.Inference.Runtime;
using Herd.Inference.Sampling;

namespace Herd.Inference.Tests.Sampling;

public sealed class SamplerTests
{
    private static readonly int Vocabulary = new ByteVocabulary().Count;

    [Fact]
    public void Sample_TemperatureZero_TakesLikeliest()
    {
        var logits = Logits(seed: 3);
        logits[77] = 100;

        Assert.Equal(77, Sample(logits, new SamplingOptions { Temperature = 0 }, 0));
    }

    [Fact]
    public void Sample_LogitsNotFinite_IsRefused()
    {
        var logits = Logits(seed: 3);
        logits[5] = float.NaN;

        Assert.Throws<DecodeException>(() => Sample(logits, new SamplingOptions { Temperature = 0 }, 0));
    }

    [Fact]
    public void Sample_NoFilter_DrawsByProbability()
    {
        var logits = Logits(MathF.Log(0.5f), MathF.Log(0.3f), MathF.Log(0.2f));
        const int Draws = 20_000;

        var counts = Enumerable.Range(0, Draws)
            .Select(i => Sample(logits, new SamplingOptions { Seed = 7 }, i))
            .CountBy(token => token)
            .ToDictionary();

        // Five standard deviations of the share are 0.018 here.
        Assert.InRange(counts[0] / (double)Draws, 0.48, 0.52);
        Assert.InRange(counts[1] / (double)Draws, 0.28, 0.32);
        Assert.InRange(counts[2] / (double)Draws, 0.18, 0.22);
    }

    /// <summary>
    /// The drawn token is one of those that temperature, top-k, top-p and min-p keep, by the plain definition of each.
    /// </summary>
    [Property(MaxTest = 500)]
    public bool Sample_AnyFilters_DrawsFromTheRemainingTokens(
        int logitSeed, ushort index, byte temperature, byte topK, byte topP, byte minP)
    {
        var logits = Logits(logitSeed);
        var options = new SamplingOptions
        {
            Temperature = 0.1f + temperature / 128f,
            TopK = topK % 50,
            TopP = (1 + topP) / 256f,
            MinP = minP / 1024f,
            Seed = (ulong)logitSeed,
        };

        return Allowed(logits, options).Contains(Sample(logits, options, index));
    }

    /// <summary>Each token that the filters keep can be drawn.</summary>
    [Fact]
    public void Sample_TopKThree_DrawsEachOfThem()
    {
        var logits = Logits(seed: 9);
        var options = new SamplingOptions { TopK = 3, Temperature = 2 };

        var drawn = Enumerable.Range(0, 500).Select(i => Sample(logits, options, i)).Distinct().Order();

        Assert.Equal(Allowed(logits, options).Order(), drawn);
    }

    [Property(MaxTest = 200)]
    public bool Sample_SameSeedAndIndex_DrawsTheSame(int logitSeed, ulong seed, ushort index)
    {
        var logits = Logits(logitSeed);
        var options = new SamplingOptions { TopP = 0.9f, Seed = seed };

        return Sample(logits, options, index) == Sample(logits, options, index);
    }

    [Fact]
    public void Uniform_ManyIndexes_AreEvenAndUnrelated()
    {
        var numbers = Enumerable.Range(0, 100_000).Select(i => CounterRandom.Uniform(42, i)).ToArray();
        var others = Enumerable.Range(0, 100_000).Select(i => CounterRandom.Uniform(43, i)).ToArray();

        Assert.All(numbers, number => Assert.InRange(number, 0, 1));
        Assert.All(numbers.CountBy(number => (int)(number * 10)), bin => Assert.InRange(bin.Value, 9_500, 10_500));
        Assert.InRange(Correlation(numbers[..^1], numbers[1..]), -0.02, 0.02);
        Assert.InRange(Correlation(numbers, others), -0.02, 0.02);
    }

    private static int Sample(float[] logits, SamplingOptions options, int index) =>
        new Sampler(new ByteVocabulary()).Sample(logits, new SamplingState(options, null), new int[index], 0);

    /// <summary>The logits of the first tokens; all others are impossible.</summary>
    private static float[] Logits(params float[] first) =>
        [.. first, .. Enumerable.Repeat(float.NegativeInfinity, Vocabulary - first.Length)];

    private static float[] Logits(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Vocabulary).Select(_ => random.NextSingle() * 12)];
    }

    private static HashSet<int> Allowed(float[] logits, SamplingOptions options)
    {
        var max = logits.Max();
        var left = logits
            .Select((logit, token) => (token, weight: Math.Exp((logit - max) / (double)options.Temperature)))
            .OrderByDescending(entry => entry.weight)
            .ThenBy(entry => entry.token)
            .Take(options.TopK == 0 ? logits.Length : options.TopK)
            .ToList();
        var mass = left.Sum(entry => entry.weight);

        // Sums in single precision may end one token later or earlier than exact ones.
        var nucleus =
            left.TakeWhile((_, i) => left.Take(i).Sum(entry => entry.weight) < (options.TopP * mass) + (1e-4 * mass));
        return [.. nucleus.Where((entry, i) => i == 0 || entry.weight >= options.MinP * 0.9999)
            .Select(entry => entry.token)];
    }

    private static double Correlation(double[] a, double[] b)
    {
        var (meanA, meanB) = (a.Average(), b.Average());
        var covariance = a.Zip(b, (x, y) => (x - meanA) * (y - meanB)).Average();
        return covariance / Math.Sqrt(
            a.Average(x => (x - meanA) * (x - meanA)) * b.Average(y => (y - meanB) * (y - meanB)));
    }
}
