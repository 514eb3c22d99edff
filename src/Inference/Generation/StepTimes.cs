using Herd.Inference.Kv;

namespace Herd.Inference.Generation;

/// <summary>
/// What steps take, as measured: those that only decode by their number of sequences, guesses and prompts by the token.
/// </summary>
internal sealed class StepTimes(KvRates rates, double maxStretch)
{
    private const double Weight = 0.2;
    private const double Drift = 0.005;
    private const int LeastChunk = 8;
    private const double UnknownSeconds = 0.02;

    private readonly List<double> _decode = [];
    private readonly List<double> _guess = [];

    /// <summary>Tokens a second that sequences produce together.</summary>
    public Rate Decode { get; } = new(100);

    /// <param name="decoding">Sequences that decode.</param>
    /// <param name="guessed">Guesses that follow their tokens.</param>
    /// <param name="produced">Tokens of answers that came of it.</param>
    /// <param name="prefilled">Tokens of prompts beside them.</param>
    /// <param name="took">The step's time.</param>
    public void Note(int decoding, int guessed, int produced, int prefilled, TimeSpan took)
    {
        if (prefilled >= LeastChunk)
        {
            var share = decoding == 0 ? took.TotalSeconds : took.TotalSeconds - Seconds(decoding);
            rates.Prefill.Note(prefilled, TimeSpan.FromSeconds(Math.Max(share, took.TotalSeconds / 4)));
        }
        else if (prefilled == 0)
        {
            Decode.Note(produced, took);
            if (guessed > 0)
            {
                Note(_guess, decoding, Math.Max(0, took.TotalSeconds - Seconds(decoding)) / guessed, Weight);
            }
            else
            {
                Note(_decode, decoding, took.TotalSeconds, Weight);
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
    public double GuessSeconds(int decoding) =>
        Known(_decode, decoding) == 0 ? double.PositiveInfinity
        : Known(_guess, decoding) is > 0 and var measured ? measured
        : rates.Prefill.Seconds(1);

    /// <summary>How many tokens of prompts may be computed beside sequences that decode.</summary>
    public int PrefillBudget(int decoding, int most) => decoding == 0
        ? most
        : Math.Clamp(
            (int)((maxStretch - 1) * Seconds(decoding) * rates.Prefill.PerSecond), Math.Min(LeastChunk, most), most);

    private static double Known(List<double> times, int decoding) => decoding < times.Count ? times[decoding] : 0;

    private static void Note(List<double> times, int decoding, double seconds, double weight)
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
        if (Known(_guess, decoding) > 0)
        {
            Note(_guess, decoding, rates.Prefill.Seconds(1), Drift);
        }
    }
}
