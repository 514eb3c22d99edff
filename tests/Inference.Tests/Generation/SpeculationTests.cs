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
        Assert.Equal(
            expected,
            string.Concat(Speculation.Lookup([.. said.Select(c => (int)c)], max: 3).ToArray().Select(t => (char)t)));

    [Property]
    public bool Lookup_AnyTokens_FollowedTheSameThree(bool[] bits, byte max)
    {
        var tokens = bits.Select(bit => bit ? 1 : 0).ToArray();
        var draftTokens = Speculation.Lookup(tokens, max % 9).ToArray();

        return draftTokens.Length <= max % 9 && (draftTokens.Length == 0 || Enumerable.Range(0, tokens.Length - 3)
            .Any(at => tokens.AsSpan(at, 3).SequenceEqual(tokens.AsSpan()[^3..])
                && tokens.AsSpan(at + 3).StartsWith(draftTokens)));
    }

    [Fact]
    public void ProposeDraft_NoStepMeasured_ProposesNone() =>
        Assert.Equal(0, DraftTokens(new StepTimes(new KvRates(), 1.8), accepted: 50));

    [Fact]
    public void ProposeDraft_CheapAndAccepted_ProposesTheMaximum() =>
        Assert.Equal(8, DraftTokens(Times(draftMilliseconds: 0.1), accepted: 50));

    [Fact]
    public void ProposeDraft_AlwaysRejected_ProposesNone() =>
        Assert.Equal(0, DraftTokens(Times(draftMilliseconds: 2), accepted: 0, rejected: 50));

    [Fact]
    public void ProposeDraft_CostsMoreThanAStep_ProposesNone() =>
        Assert.Equal(0, DraftTokens(Times(draftMilliseconds: 11), accepted: 50));

    [Fact]
    public void ProposeDraft_BatchIsFull_ProposesNone() =>
        Assert.Equal(0, DraftTokens(Times(draftMilliseconds: 0.1), accepted: 50, room: 0));

    [Fact]
    public void ProposeDraft_EndOfContextIsNear_StaysWithin() =>
        Assert.Equal(2, DraftTokens(Times(draftMilliseconds: 0.1), accepted: 50, cells: Repeating.Length + 2));

    [Property]
    public bool AcceptanceRate_AnyOutcomes_StaysBetweenZeroAndOne(bool[] outcomes)
    {
        var rate = new AcceptanceRate();
        foreach (var accepted in outcomes)
        {
            rate.Record(accepted ? 8 : 0, rejected: !accepted);
        }

        return rate.Value is >= 0 and <= 1;
    }

    [Fact]
    public void AcceptanceRate_NoNewDrafts_DecaysToOneHalf()
    {
        var rate = new AcceptanceRate();
        rate.Record(0, rejected: true);
        rate.Record(0, rejected: true);
        for (var i = 0; i < 1000; i++)
        {
            rate.DecayTowardsPrior();
        }

        Assert.Equal(0.5, rate.Value, 3);
    }

    private static StepTimes Times(double draftMilliseconds)
    {
        var times = new StepTimes(new KvRates(), 1.8);
        times.Record(1, 0, 1, 0, 0, TimeSpan.FromMilliseconds(10));
        times.Record(1, 1, 1, 0, 0, TimeSpan.FromMilliseconds(10 + draftMilliseconds));
        return times;
    }

    private static int DraftTokens(StepTimes times, int accepted, int rejected = 0, int room = 100, int cells = 1000)
    {
        var request = new GenerationRequest { Session = "s", Prompt = Repeating };
        var sequence = new Sequence(request, new ByteVocabulary(), cells, TimeProvider.System, CancellationToken.None);
        for (var i = 0; i < accepted + rejected; i++)
        {
            sequence.AcceptanceRate.Record(i < accepted ? 1 : 0, rejected: i >= accepted);
        }

        return new Speculation(times, cells).ProposeDraft(sequence, decoding: 1, room).Length;
    }
}
