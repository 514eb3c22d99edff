using FsCheck.Xunit;
using Herd.Inference.Generation;
using Herd.Inference.Kv;

namespace Herd.Inference.Tests.Generation;

public sealed class SpeculationTests
{
    private static readonly int[] Repeating = [.. Enumerable.Range(0, 60).Select(i => i % 12)];

    [Theory]
    [InlineData("abcXYabc", "XYa")]
    [InlineData("abcPabcQabc", "Qab")]
    [InlineData("aaaaa", "a")]
    [InlineData("abcdef", "")]
    [InlineData("abc", "")]
    [InlineData("", "")]
    public void Lookup_LastThreeTokens_GivesWhatFollowedThemLast(string said, string expected) =>
        Assert.Equal(expected, string.Concat(Speculation.Lookup([.. said.Select(c => (int)c)], most: 3).ToArray().Select(t => (char)t)));

    [Property]
    public bool Lookup_AnyTokens_FollowedTheSameThree(bool[] bits, byte most)
    {
        var tokens = bits.Select(bit => bit ? 1 : 0).ToArray();
        var guesses = Speculation.Lookup(tokens, most % 9).ToArray();

        return guesses.Length <= most % 9 && (guesses.Length == 0 || Enumerable.Range(0, tokens.Length - 3)
            .Any(at => tokens.AsSpan(at, 3).SequenceEqual(tokens.AsSpan()[^3..]) && tokens.AsSpan(at + 3).StartsWith(guesses)));
    }

    [Fact]
    public void Guess_NoStepMeasured_GuessesNothing() => Assert.Equal(0, Guesses(new StepTimes(new KvRates(), 1.8), right: 50));

    [Fact]
    public void Guess_CheapAndRight_GuessesAsMuchAsItMay() => Assert.Equal(8, Guesses(Times(guessMilliseconds: 0.1), right: 50));

    [Fact]
    public void Guess_AlwaysWrong_StopsGuessing() => Assert.Equal(0, Guesses(Times(guessMilliseconds: 2), right: 0, wrong: 50));

    [Fact]
    public void Guess_DearerThanAStep_GuessesNothing() => Assert.Equal(0, Guesses(Times(guessMilliseconds: 11), right: 50));

    [Fact]
    public void Guess_BatchIsFull_GuessesNothing() => Assert.Equal(0, Guesses(Times(guessMilliseconds: 0.1), right: 50, room: 0));

    [Fact]
    public void Guess_EndOfContextIsNear_StaysWithin() =>
        Assert.Equal(2, Guesses(Times(guessMilliseconds: 0.1), right: 50, cells: Repeating.Length + 2));

    [Property]
    public bool Luck_WhateverHappens_StaysAChance(bool[] rights)
    {
        var luck = new AcceptanceRate();
        foreach (var right in rights)
        {
            luck.Record(right ? 8 : 0, wrong: !right);
        }

        return luck.Value is >= 0 and <= 1;
    }

    [Fact]
    public void Luck_NothingNew_DriftsBackToEven()
    {
        var luck = new AcceptanceRate();
        luck.Record(0, wrong: true);
        luck.Record(0, wrong: true);
        for (var i = 0; i < 1000; i++)
        {
            luck.DecayTowardsPrior();
        }

        Assert.Equal(0.5, luck.Value, 3);
    }

    private static StepTimes Times(double guessMilliseconds)
    {
        var times = new StepTimes(new KvRates(), 1.8);
        times.Record(1, 0, 1, 0, 0, TimeSpan.FromMilliseconds(10));
        times.Record(1, 1, 1, 0, 0, TimeSpan.FromMilliseconds(10 + guessMilliseconds));
        return times;
    }

    private static int Guesses(StepTimes times, int right, int wrong = 0, int room = 100, int cells = 1000)
    {
        var request = new GenerationRequest { Session = "s", Prompt = Repeating };
        var sequence = new Sequence(request, new ByteVocabulary(), cells, TimeProvider.System, CancellationToken.None);
        for (var i = 0; i < right + wrong; i++)
        {
            sequence.AcceptanceRate.Record(i < right ? 1 : 0, wrong: i >= right);
        }

        return new Speculation(times, cells).ProposeDraft(sequence, decoding: 1, room).Length;
    }
}
