using FsCheck.Xunit;
using Herd.Inference.Sampling;

namespace Herd.Inference.Tests.Sampling;

/// <summary>Each kind of sampling by its plain definition.</summary>
public sealed class SamplerKindsTests
{
    private static readonly int Vocabulary = new ByteVocabulary().Count;

    [Property(MaxTest = 200)]
    public bool Penalties_AnySettings_FollowTheDefinitions(
        int seed, byte repetition, byte frequency, byte presence, byte window)
    {
        var random = new Random(seed);
        var logits = Enumerable.Range(0, Vocabulary).Select(_ => (random.NextSingle() * 8) - 4).ToArray();
        int[] tokens = [.. Enumerable.Range(0, 60).Select(_ => random.Next(20))];
        const int Prompt = 25;
        var options = new PenaltyOptions
        {
            Repetition = 0.5f + (repetition / 128f),
            Frequency = frequency / 128f,
            Presence = presence / 128f,
            Window = window % 80,
        };
        var recent = tokens[^Math.Min(options.Window, tokens.Length)..];
        var expected = logits.Select((logit, token) =>
        {
            var penalised = !recent.Contains(token)
                ? logit
                : logit > 0 ? logit / options.Repetition : logit * options.Repetition;
            var count = tokens[Prompt..].Count(t => t == token);
            return penalised - (count * options.Frequency) - (count > 0 ? options.Presence : 0);
        }).ToList();

        new Penalties(Vocabulary).Apply(logits, options, tokens, Prompt);

        return expected.Zip(logits).All(pair => Math.Abs(pair.First - pair.Second) < 1e-4);
    }

    /// <summary>
    /// The definition of DRY: a token's penalty grows with the longest run before an earlier place of it that equals
    /// the end of the text.
    /// </summary>
    [Property(MaxTest = 300)]
    public bool Dry_AnyText_PenalisesRepetitions(int seed, byte letters)
    {
        var random = new Random(seed);
        int[] tokens = [.. Enumerable.Range(0, 40).Select(_ => 'a' + random.Next(1 + (letters % 4)))];
        var logits = new float[Vocabulary];
        var expected = new float[Vocabulary];
        for (var next = 0; next < Vocabulary; next++)
        {
            var longest = 0;
            for (var at = 1; at < tokens.Length; at++)
            {
                var run = 0;
                while (tokens[at] == next && run < at && tokens[at - 1 - run] == tokens[^(run + 1)])
                {
                    run++;
                }

                longest = Math.Max(longest, run);
            }

            expected[next] = longest >= 2 ? -0.8f * MathF.Pow(1.75f, longest - 2) : 0;
        }

        new Dry(new ByteVocabulary()).Apply(logits, new DryOptions(0.8f), tokens);

        return expected.Zip(logits).All(pair => Math.Abs(pair.First - pair.Second) <= 1e-3 * Math.Abs(pair.First));
    }

    [Fact]
    public void Dry_RunOverALineBreak_IsFree()
    {
        var logits = new float[Vocabulary];

        new Dry(new ByteVocabulary()).Apply(logits, new DryOptions(0.8f), [.. "ab\nab\n".Select(c => (int)c)]);

        Assert.All(logits, logit => Assert.Equal(0, logit));
    }

    [Fact]
    public void Typical_OneVeryLikelyAmongMany_DropsThePredictableOne()
    {
        // The entropy is 1.36 nats. The information of the middle tokens is nearest to it, that of the first is not.
        var logits = Logits(0.5f, 0.2f, 0.15f, 0.1f, 0.05f);

        Assert.Equal([1, 2], Drawn(logits, new SamplingOptions { Typical = 0.3f }));
    }

    [Fact]
    public void Xtc_Always_LeavesTheLeastLikelyOfTheLikely()
    {
        var logits = Logits(0.4f, 0.3f, 0.2f, 0.1f);

        Assert.Equal([2, 3], Drawn(logits, new SamplingOptions { Xtc = new XtcOptions(1, 0.15f) }));
        Assert.Equal([0, 1, 2, 3], Drawn(logits, new SamplingOptions { Xtc = new XtcOptions(0, 0.15f) }));
    }

    [Fact]
    public void Mirostat_OverManyTokens_KeepsTheInformationNearItsTarget()
    {
        var random = new Random(5);
        var options = new SamplingOptions { Mirostat = new MirostatOptions(Tau: 3, Eta: 0.1f), Seed = 9 };
        var state = new SamplingState(options, null);
        var sampler = new Sampler(new ByteVocabulary());
        var logits = Enumerable.Range(0, Vocabulary).Select(i => -MathF.Log(1 + i)).ToArray();
        var total = logits.Sum(MathF.Exp);
        var surprises = new List<double>();
        for (var i = 0; i < 2_000; i++)
        {
            random.Shuffle(logits);
            surprises.Add(-Math.Log2(MathF.Exp(logits[sampler.Sample(logits, state, new int[i], 0)]) / total));
        }

        // The average differs from the target: it is measured by the model's probabilities, before tokens are cut off.
        Assert.InRange(surprises.Skip(200).Average(), 2.5, 4.5);
    }

    [Fact]
    public void Bias_OfAToken_ForcesOrBansIt()
    {
        var logits = Logits(0.5f, 0.3f, 0.2f);

        Assert.Equal([2], Drawn(logits, new SamplingOptions { Bias = [new(2, 100)] }));
        Assert.Equal([1, 2], Drawn(logits, new SamplingOptions { Bias = [new(0, -100)] }));
    }

    [Fact]
    public void IgnoreEnd_EndLikeliest_TakesAnother()
    {
        var logits = Logits(0.6f, 0.4f);
        logits[ByteVocabulary.End] = 50;

        Assert.Equal([ByteVocabulary.End], Drawn(logits, new SamplingOptions()));
        Assert.Equal([0, 1], Drawn(logits, new SamplingOptions { IgnoreEnd = true }));
    }

    [Fact]
    public void LogProbs_OfAToken_AreTheModelsOwnLikeliestFirst()
    {
        var found = new Sampler(new ByteVocabulary()).LogProbs(Logits(0.2f, 0.5f, 0.3f), 2, 2);

        Assert.Equal(Math.Log(0.3), found.Chosen.LogProb, 5);
        Assert.Equal([1, 2], found.Likeliest.Select(token => token.Token));
        Assert.Equal(Math.Log(0.5), found.Likeliest[0].LogProb, 5);
    }

    private static List<int> Drawn(float[] logits, SamplingOptions options)
    {
        var sampler = new Sampler(new ByteVocabulary());
        return [.. Enumerable.Range(0, 400)
            .Select(i => sampler.Sample(logits, new SamplingState(options, null), new int[i], 0))
            .Distinct()
            .Order()];
    }

    /// <summary>Logits that give the first tokens these probabilities; all others are impossible.</summary>
    private static float[] Logits(params float[] probabilities) =>
        [
            .. probabilities.Select(p => MathF.Log(p)),
            .. Enumerable.Repeat(float.NegativeInfinity, Vocabulary - probabilities.Length),
        ];
}
