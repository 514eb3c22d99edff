using Herd.Inference.Kv;

namespace Herd.Inference.Generation;

/// <summary>
/// What steps take, as measured: those that only decode by their number of sequences, guesses by the token, and how many
/// tokens of prompts fit beside them.
/// </summary>
internal sealed class StepTimes(KvRates rates, double maxStretch)
{
    private const double Weight = 0.2;
    private const double Drift = 0.005;
    private const double Shrink = 0.5;
    private const double MostGrowth = 4;

    /// <summary>Fewer tokens of a prompt say nothing of the rate of prompts.</summary>
    private const int Telling = 8;

    /// <summary>After so many steps with prompts one without shows how long they take by now.</summary>
    private const int MostUnseen = 16;

    /// <summary>
    /// The same where next to nothing fits: then either prompts are dear, or decoding has become slower than was seen, as when
    /// another process takes the processor.
    /// </summary>
    private const int MostUnseenWhereLittleFits = 4;
    private const double WeightWhereLittleFits = 0.4;

    private const double UnknownSeconds = 0.02;

    private readonly List<double> _decode = [];
    private readonly List<double> _draftToken = [];
    private readonly List<double> _beside = [];
    private int _unseen;

    /// <summary>Tokens a second that sequences produce together.</summary>
    public Rate Decode { get; } = new(100);

    /// <param name="decoding">Sequences that decode.</param>
    /// <param name="drafted">Guesses that follow their tokens.</param>
    /// <param name="produced">Tokens of answers that came of it.</param>
    /// <param name="prefilling">Sequences whose prompts are computed, or wait for that with a slot.</param>
    /// <param name="prefilled">Tokens of prompts beside them.</param>
    /// <param name="took">The step's time.</param>
    public void Record(int decoding, int drafted, int produced, int prefilling, int prefilled, TimeSpan took)
    {
        _unseen = prefilled > 0 && decoding > 0 ? _unseen + 1 : 0;
        if (_unseen > 0)
        {
            Fit(decoding, prefilling, prefilled, took.TotalSeconds);
        }

        if (prefilled >= Telling)
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
                Record(_decode, decoding, took.TotalSeconds, FitsLittle(decoding, prefilling) ? WeightWhereLittleFits : Weight);
                Forget(decoding);
            }
        }
    }

    /// <summary>Seconds of a step that decodes so many sequences: as measured, or from the next smaller one that was.</summary>
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
    /// Seconds that a guess adds to a step that decodes so many sequences: as measured, at first a prompt's token. Infinite
    /// where no step without guesses was measured.
    /// </summary>
    public double DraftTokenSeconds(int decoding) =>
        Known(_decode, decoding) == 0 ? double.PositiveInfinity
        : Known(_draftToken, decoding) is > 0 and var measured ? measured
        : rates.Prefill.Seconds(1);

    /// <summary>
    /// How many tokens of prompts may be computed beside sequences that decode: as many as were found to fit, at first by
    /// the rate of prompts alone; now and then none, to see what decoding takes by itself.
    /// </summary>
    /// <param name="decoding">Sequences that decode.</param>
    /// <param name="prefilling">Sequences that will, once their prompts are computed.</param>
    /// <param name="most">Most tokens.</param>
    public int PrefillBudget(int decoding, int prefilling, int most) =>
        decoding == 0 ? most
        : _unseen >= (FitsLittle(decoding, prefilling) ? MostUnseenWhereLittleFits : MostUnseen) ? 0
        : Math.Clamp(Fitting(decoding, prefilling), Math.Min(1, most), most);

    /// <summary>Tokens a second of a prompt beside so many sequences that decode.</summary>
    public double PromptRate(int decoding) => decoding == 0
        ? rates.Prefill.PerSecond
        : Math.Min(rates.Prefill.PerSecond, Math.Max(1, Allowed(decoding, 1) * Beside(decoding)) / (Seconds(decoding) + Allowed(decoding, 1)));

    /// <summary>Seconds until a prompt of so many tokens is computed beside so many sequences that decode; a short one takes one step.</summary>
    public double PromptSeconds(int decoding, int tokens)
    {
        var seconds = tokens / PromptRate(decoding);
        return tokens <= EngineLoad.ShortPromptTokens ? Math.Min(seconds, Seconds(decoding) + rates.Prefill.Seconds(tokens)) : seconds;
    }

    private bool FitsLittle(int decoding, int prefilling) => Known(_beside, decoding) > 0 && Fitting(decoding, prefilling) < Telling;

    private int Fitting(int decoding, int prefilling) => (int)(Allowed(decoding, prefilling) * Beside(decoding));

    /// <summary>
    /// Seconds that prompts may add: until the step is stretched as far as it may be beside one in which all of them decode, which is
    /// what those who decode will have when the prompts are done. Beside their own step alone few would starve many prompts.
    /// </summary>
    private double Allowed(int decoding, int prefilling) =>
        (maxStretch * Math.Max(Seconds(decoding), Seconds(decoding + prefilling))) - Seconds(decoding);

    /// <summary>Tokens of prompts by the second that they add to a step.</summary>
    private double Beside(int decoding) => Known(_beside, decoding) is > 0 and var found ? found : rates.Prefill.PerSecond;

    /// <summary>
    /// Brings the tokens of prompts beside a step to what stretches it as far as it may. What a token costs depends on how
    /// many come with it and on all that lie before it, so what fits is found by trying, not from the rate of prompts alone.
    /// </summary>
    private void Fit(int decoding, int prefilling, int prefilled, double took)
    {
        var allowed = Allowed(decoding, prefilling);
        var added = Math.Max(took - Seconds(decoding), allowed / MostGrowth);
        if (added > allowed || prefilled >= Fitting(decoding, prefilling))
        {
            Record(_beside, decoding, Math.Max(1, prefilled * allowed / added) / allowed, added > allowed ? Shrink : Weight);
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

    /// <summary>Lets what guesses cost drift back to what is thought at first, so that they are tried again one day.</summary>
    private void Forget(int decoding)
    {
        if (Known(_draftToken, decoding) > 0)
        {
            Record(_draftToken, decoding, rates.Prefill.Seconds(1), Drift);
        }
    }
}
