using Herd.Inference.Kv;

namespace Herd.Inference.Generation;

/// <summary>
/// Measured times of steps: of decoding by the number of sequences, of each draft token, and of prefill in steps that
/// also decode. The prefill budget follows from them.
/// </summary>
internal sealed class StepTimes(KvRates rates, double maxStepSlowdown)
{
    private const double Weight = 0.2;
    private const double Drift = 0.005;
    private const double Shrink = 0.5;
    private const double MaxGrowth = 4;

    /// <summary>The minimum number of prompt tokens in a step that gives a meaningful prefill rate.</summary>
    private const int MinPrefillSample = 8;

    /// <summary>
    /// The maximum number of steps in a row with prefill. The next one only decodes, to measure decoding.
    /// </summary>
    private const int MaxMixedSteps = 16;

    /// <summary>
    /// The maximum when the budget is small. Then either prefill is expensive, or decoding has become slower than
    /// measured, for example because another process uses the processor.
    /// </summary>
    private const int MaxMixedStepsOnSmallBudget = 4;
    private const double WeightOnSmallBudget = 0.4;

    private const double UnknownSeconds = 0.02;

    private readonly List<double> _decode = [];
    private readonly List<double> _draftToken = [];
    private readonly List<double> _mixedPrefillRate = [];
    private readonly Rate _prompts = new(500);
    private bool _isPrefilling;
    private int _mixedSteps;

    /// <summary>Measured tokens a second of all decoding sequences together.</summary>
    public Rate Decode { get; } = new(100);

    /// <summary>Records a step.</summary>
    /// <param name="decoding">The number of decoding sequences.</param>
    /// <param name="drafted">The number of draft tokens.</param>
    /// <param name="produced">The number of answer tokens produced.</param>
    /// <param name="prefilling">The number of sequences with a slot whose prompt was not complete.</param>
    /// <param name="prefilled">The number of prompt tokens computed.</param>
    /// <param name="took">The time of the step.</param>
    public void Record(int decoding, int drafted, int produced, int prefilling, int prefilled, TimeSpan took)
    {
        _isPrefilling = prefilling > 0;
        if (_isPrefilling)
        {
            _prompts.Record(prefilled, took);
        }

        _mixedSteps = prefilled > 0 && decoding > 0 ? _mixedSteps + 1 : 0;
        if (_mixedSteps > 0)
        {
            AdaptMixedPrefillRate(decoding, prefilling, prefilled, took.TotalSeconds);
        }

        if (prefilled >= MinPrefillSample)
        {
            var share = decoding == 0 ? took.TotalSeconds : took.TotalSeconds - Seconds(decoding);
            rates.Prefill.Record(prefilled, TimeSpan.FromSeconds(Math.Max(share, took.TotalSeconds / 4)));
        }
        else if (prefilled == 0)
        {
            Decode.Record(produced, took);
            if (drafted > 0)
            {
                Record(_draftToken, decoding, Math.Max(0, took.TotalSeconds - Seconds(decoding)) / drafted, Weight);
            }
            else
            {
                var weight = IsBudgetSmall(decoding, prefilling) ? WeightOnSmallBudget : Weight;
                Record(_decode, decoding, took.TotalSeconds, weight);
                DecayDraftTokenSeconds(decoding);
            }
        }
    }

    /// <summary>
    /// Seconds of a step that decodes this number of sequences: as measured, else extrapolated from the next smaller
    /// number.
    /// </summary>
    public double Seconds(int decoding)
    {
        for (var count = Math.Min(decoding, _decode.Count - 1); count > 0; count--)
        {
            if (_decode[count] > 0)
            {
                return _decode[count] + rates.Prefill.Seconds(decoding - count);
            }
        }

        return UnknownSeconds + rates.Prefill.Seconds(decoding);
    }

    /// <summary>
    /// Seconds that a draft token adds to a step that decodes this number of sequences: as measured, else those of a
    /// prompt token. Infinite if no step without draft tokens was measured.
    /// </summary>
    public double DraftTokenSeconds(int decoding) =>
        Known(_decode, decoding) == 0 ? double.PositiveInfinity
        : Known(_draftToken, decoding) is > 0 and var measured ? measured
        : rates.Prefill.Seconds(1);

    /// <summary>
    /// The number of prompt tokens that the next step may compute. It follows from the measured prefill rate in steps
    /// that also decode, at first from the rate of prefill alone. Regularly 0, to measure decoding alone.
    /// </summary>
    /// <param name="decoding">The number of decoding sequences.</param>
    /// <param name="prefilling">The number of sequences whose prompt is not complete.</param>
    /// <param name="max">The maximum number of tokens.</param>
    public int PrefillBudget(int decoding, int prefilling, int max) =>
        decoding == 0 ? max
        : _mixedSteps >= (IsBudgetSmall(decoding, prefilling) ? MaxMixedStepsOnSmallBudget : MaxMixedSteps) ? 0
        : Math.Clamp(EstimateBudget(decoding, prefilling), Math.Min(1, max), max);

    /// <summary>Estimated tokens a second of prefill for one prompt while this number of sequences decodes.</summary>
    public double PromptRate(int decoding)
    {
        if (decoding == 0)
        {
            return rates.Prefill.PerSecond;
        }

        var extra = ExtraSeconds(decoding, 1);
        var tokens = Math.Max(1, extra * MixedPrefillRate(decoding));
        return Math.Min(rates.Prefill.PerSecond, tokens / (Seconds(decoding) + extra));
    }

    /// <summary>
    /// Tokens a second of prefill for all prompts together, estimated with the next one. While prompts are pending it
    /// is at least what recent steps computed: prompts that follow each other keep slots from decoding.
    /// </summary>
    /// <param name="decoding">The number of decoding sequences.</param>
    /// <param name="prefilling">The number of pending prompts.</param>
    public double PromptsRate(int decoding, int prefilling)
    {
        if (decoding == 0)
        {
            return rates.Prefill.PerSecond;
        }

        var extra = ExtraSeconds(decoding, prefilling + 1);
        var estimated = Math.Max(1, extra * MixedPrefillRate(decoding)) / (Seconds(decoding) + extra);
        return prefilling > 0 && _isPrefilling ? Math.Max(estimated, _prompts.PerSecond) : estimated;
    }

    /// <summary>Estimated seconds of a step with a part of a long prompt.</summary>
    /// <param name="decoding">The number of decoding sequences.</param>
    /// <param name="prefilling">The number of prompts.</param>
    /// <param name="max">The maximum number of tokens.</param>
    public double PromptStepSeconds(int decoding, int prefilling, int max) => decoding == 0
        ? rates.Prefill.Seconds(max)
        : Seconds(decoding) + Math.Min(ExtraSeconds(decoding, Math.Max(1, prefilling)), rates.Prefill.Seconds(max));

    /// <summary>
    /// Estimated seconds to compute a prompt while this number of sequences decodes. A short prompt takes one step.
    /// </summary>
    public double PromptSeconds(int decoding, int tokens)
    {
        var seconds = tokens / PromptRate(decoding);
        return tokens <= EngineLoad.ShortPromptTokens
            ? Math.Min(seconds, Seconds(decoding) + rates.Prefill.Seconds(tokens))
            : seconds;
    }

    private bool IsBudgetSmall(int decoding, int prefilling) =>
        Known(_mixedPrefillRate, decoding) > 0 && EstimateBudget(decoding, prefilling) < MinPrefillSample;

    private int EstimateBudget(int decoding, int prefilling) =>
        (int)(ExtraSeconds(decoding, prefilling) * MixedPrefillRate(decoding));

    /// <summary>
    /// Seconds that prefill may add to a step. The limit is a multiple of the step in which all sequences decode,
    /// because that is the pace after prefill. A limit by the present step alone would let few decoding sequences
    /// starve many prompts.
    /// </summary>
    private double ExtraSeconds(int decoding, int prefilling) =>
        (maxStepSlowdown * Math.Max(Seconds(decoding), Seconds(decoding + prefilling))) - Seconds(decoding);

    /// <summary>Prompt tokens for each second that prefill adds to a step that also decodes.</summary>
    private double MixedPrefillRate(int decoding) =>
        Known(_mixedPrefillRate, decoding) is > 0 and var found ? found : rates.Prefill.PerSecond;

    /// <summary>
    /// Adapts the prefill rate in steps that also decode. The cost of a prompt token depends on the number of tokens
    /// computed with it and before it, so the rate is measured in such steps and not derived from prefill alone.
    /// </summary>
    private void AdaptMixedPrefillRate(int decoding, int prefilling, int prefilled, double took)
    {
        var allowed = ExtraSeconds(decoding, prefilling);
        var added = Math.Max(took - Seconds(decoding), allowed / MaxGrowth);
        if (added > allowed || prefilled >= EstimateBudget(decoding, prefilling))
        {
            var rate = Math.Max(1, prefilled * allowed / added) / allowed;
            Record(_mixedPrefillRate, decoding, rate, added > allowed ? Shrink : Weight);
        }
    }

    private static double Known(List<double> times, int decoding) => decoding < times.Count ? times[decoding] : 0;

    private static void Record(List<double> times, int decoding, double seconds, double weight)
    {
        while (times.Count <= decoding)
        {
            times.Add(0);
        }

        times[decoding] = times[decoding] == 0 ? seconds : times[decoding] + weight * (seconds - times[decoding]);
    }

    /// <summary>
    /// Decays the time of a draft token to that of a prompt token, so that draft tokens are tried again.
    /// </summary>
    private void DecayDraftTokenSeconds(int decoding)
    {
        if (Known(_draftToken, decoding) > 0)
        {
            Record(_draftToken, decoding, rates.Prefill.Seconds(1), Drift);
        }
    }
}
