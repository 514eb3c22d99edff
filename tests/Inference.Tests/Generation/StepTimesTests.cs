using FsCheck.Xunit;
using Herd.Inference.Generation;
using Herd.Inference.Kv;

namespace Herd.Inference.Tests.Generation;

public sealed class StepTimesTests
{
    private const double MaxStepSlowdown = 1.8;

    private readonly KvRates _rates = new();
    private readonly StepTimes _times;

    public StepTimesTests() => _times = new StepTimes(_rates, MaxStepSlowdown);

    [Fact]
    public void Seconds_NothingMeasured_GrowWithTheSequences() => Assert.True(_times.Seconds(8) > _times.Seconds(1));

    [Fact]
    public void Seconds_Measured_AreThose()
    {
        Decode(4, milliseconds: 10);

        Assert.Equal(0.010, _times.Seconds(4), 6);
    }

    [Fact]
    public void Seconds_OnlyFewerMeasured_AddATokenOfPromptForEachMore()
    {
        Decode(4, milliseconds: 10);

        Assert.Equal(0.010 + 2 / _rates.Prefill.PerSecond, _times.Seconds(6), 6);
    }

    [Fact]
    public void PrefillBudget_NothingDecodes_IsTheMaximum() =>
        Assert.Equal(256, _times.PrefillBudget(decoding: 0, prefilling: 0, max: 256));

    /// <summary>A prompt takes as long as all the steps in which it gets a part of the prefill budget.</summary>
    [Fact]
    public void PromptRate_WithDecoding_IsThatOfAStretchedStep()
    {
        var alone = _times.PromptRate(decoding: 0);

        var beside = _times.PromptRate(decoding: 4);

        Assert.Equal(
            _times.PrefillBudget(decoding: 4, prefilling: 1, max: 4096) / (MaxStepSlowdown * _times.Seconds(5)),
            beside,
            0.05 * beside);
        Assert.InRange(beside, 1, alone / 2);
    }

    [Fact]
    public void PromptSeconds_WithSlowDecoding_IsOneStepForAShortPromptAndManyForALongOne()
    {
        Decode(4, milliseconds: 20);

        var (brief, lengthy) =
            (_times.PromptSeconds(decoding: 4, tokens: 48), _times.PromptSeconds(decoding: 4, tokens: 49));

        Assert.Equal(0.020 + _rates.Prefill.Seconds(48), brief, 6);
        Assert.Equal(49 / _times.PromptRate(decoding: 4), lengthy, 6);
        Assert.True(lengthy > 1.5 * brief, $"{lengthy} and {brief}");
    }

    /// <summary>
    /// Another process takes the processor while a long prompt is computed: the budget soon recovers.
    /// </summary>
    [Fact]
    public void PrefillBudget_EverythingTakesLonger_Recovers()
    {
        const double Token = 0.002;
        Decode(4, milliseconds: 50);
        Compute(slowness: 1, steps: 30);
        var before = _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096);

        Compute(slowness: 3, steps: 40);

        Assert.InRange(before, 10, 40);
        Assert.InRange(_times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096), before / 2, before * 2);

        void Compute(double slowness, int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                var tokens = _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096);
                _times.Record(
                    decoding: 4,
                    drafted: 0,
                    produced: 4,
                    prefilling: 0,
                    tokens,
                    TimeSpan.FromSeconds(slowness * (0.05 + (tokens * Token))));
            }
        }
    }

    [Fact]
    public void PromptSeconds_NothingDecodes_IsTheTimeOfItsTokens() =>
        Assert.Equal(_rates.Prefill.Seconds(10), _times.PromptSeconds(decoding: 0, tokens: 10), 6);

    [Fact]
    public void PrefillBudget_WithDecoding_KeepsTheMaximumStretch()
    {
        Decode(4, milliseconds: 50);

        var budget = _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096);

        Assert.Equal((MaxStepSlowdown - 1) * 0.050, _rates.Prefill.Seconds(budget), 2.0 / _rates.Prefill.PerSecond);
    }

    /// <summary>
    /// One answer decodes and seven prompts wait. The budget is that of a step in which all eight decode, because the
    /// answer gets no faster steps later. A budget for its pace now would compute the prompts a few tokens a step.
    /// </summary>
    [Fact]
    public void PrefillBudget_ManyPromptsWithOneAnswer_StretchesTheStepInWhichAllDecode()
    {
        Decode(1, milliseconds: 10);
        Decode(8, milliseconds: 60);

        for (var step = 0; step < 30; step++)
        {
            var tokens = _times.PrefillBudget(decoding: 1, prefilling: 7, max: 4096);
            _times.Record(
                decoding: 1,
                drafted: 0,
                produced: 1,
                prefilling: 7,
                tokens,
                TimeSpan.FromMilliseconds(10 + (2 * tokens)));
        }

        Assert.Equal(
            ((MaxStepSlowdown * 60) - 10) / 2, _times.PrefillBudget(decoding: 1, prefilling: 7, max: 4096), 2.0);
        Decode(1, milliseconds: 10);
        Assert.InRange(_times.PrefillBudget(decoding: 1, prefilling: 0, max: 4096), 3, 4);
    }

    [Property]
    public bool PrefillBudget_AnyMeasurements_IsWithinItsBounds(
        (byte Decoding, ushort Prefilled, ushort Milliseconds)[] steps, byte decoding, byte prefilling, ushort most)
    {
        foreach (var step in steps)
        {
            _times.Record(
                step.Decoding,
                0,
                step.Decoding,
                prefilling,
                step.Prefilled,
                TimeSpan.FromMilliseconds(step.Milliseconds));
        }

        Decode(1, milliseconds: 20);

        var budget = _times.PrefillBudget(decoding, prefilling, most);

        return budget <= most && budget >= Math.Min(1, (int)most);
    }

    [Fact]
    public void PrefillBudget_DecodingBecomesSlowerDuringAPrompt_Grows()
    {
        Decode(4, milliseconds: 20);
        Prefill(steps: 200, n => 2 * n);

        Prefill(steps: 2000, n => 2 * n, calm: 60);

        Assert.Equal((MaxStepSlowdown - 1) * 60 / 2, _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096), 2.0);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(9, 0.5)]
    [InlineData(1, 7)]
    public void PrefillBudget_EveryPassAndTokenCosts_ReachesTheMaximumStretch(double pass, double token)
    {
        Decode(4, milliseconds: 20);

        Prefill(steps: 60, n => pass + (token * n));

        var fits = (((MaxStepSlowdown - 1) * 20) - pass) / token;
        Assert.InRange(_times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096), 0.8 * fits, fits);
    }

    [Fact]
    public void PrefillBudget_TokensTakeLonger_ShrinksWithinAFewSteps()
    {
        Decode(4, milliseconds: 20);
        Prefill(steps: 60, n => 0.5 * n);

        Prefill(steps: 6, n => 5 * n);

        Assert.InRange(_times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096), 1, 4);
    }

    [Fact]
    public void PrefillBudget_PromptsShorterThanIt_Stays()
    {
        Decode(4, milliseconds: 20);
        Prefill(steps: 60, n => 0.5 * n);
        var budget = _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096);

        for (var i = 0; i < 20; i++)
        {
            _times.Record(
                decoding: 4, drafted: 0, produced: 4, prefilling: 0, prefilled: 2, TimeSpan.FromMilliseconds(24));
            Decode(4, milliseconds: 20);
        }

        Assert.Equal(budget, _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096));
    }

    [Fact]
    public void Record_PromptWithDecoding_MeasuresPrefillWithoutTheDecoding()
    {
        Decode(4, milliseconds: 40);
        for (var i = 0; i < 100; i++)
        {
            _times.Record(
                decoding: 4, drafted: 0, produced: 4, prefilling: 0, prefilled: 60, TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(1000, _rates.Prefill.PerSecond, 1.0);
    }

    [Fact]
    public void DraftTokenSeconds_NoStepWithoutDrafts_IsInfinite() =>
        Assert.Equal(double.PositiveInfinity, _times.DraftTokenSeconds(1));

    [Fact]
    public void DraftTokenSeconds_Measured_IsTheTimeThatEachAdds()
    {
        Decode(2, milliseconds: 10);
        _times.Record(decoding: 2, drafted: 8, produced: 5, prefilling: 0, prefilled: 0, TimeSpan.FromMilliseconds(18));

        Assert.Equal(0.001, _times.DraftTokenSeconds(2), 6);
    }

    [Fact]
    public void DraftTokenSeconds_NotMeasuredForLong_DecaysToAPromptToken()
    {
        Decode(2, milliseconds: 10);
        _times.Record(
            decoding: 2, drafted: 1, produced: 2, prefilling: 0, prefilled: 0, TimeSpan.FromMilliseconds(500));

        for (var i = 0; i < 5000; i++)
        {
            Decode(2, milliseconds: 10);
        }

        Assert.Equal(_rates.Prefill.Seconds(1), _times.DraftTokenSeconds(2), 4);
    }

    /// <summary>Records steps of a prompt that uses the whole budget of each. Its tokens set the time.</summary>
    private void Prefill(int steps, Func<int, double> milliseconds, int calm = 20)
    {
        for (var i = 0; i < steps || _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096) == 0; i++)
        {
            var tokens = _times.PrefillBudget(decoding: 4, prefilling: 0, max: 4096);
            var took = TimeSpan.FromMilliseconds(calm + (tokens > 0 ? milliseconds(tokens) : 0));
            _times.Record(4, drafted: 0, produced: 4, prefilling: 0, tokens, took);
        }
    }

    private void Decode(int sequences, int milliseconds) =>
        _times.Record(
            sequences, drafted: 0, sequences, prefilling: 0, prefilled: 0, TimeSpan.FromMilliseconds(milliseconds));
}
