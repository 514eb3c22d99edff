using Herd.Inference.Kv;

namespace Herd.Inference.Generation;

/// <summary>What steps take, as measured: those that only decode by their number of tokens, prompts by the token.</summary>
internal sealed class StepTimes(KvRates rates, double maxStretch)
{
    private const double Weight = 0.2;
    private const int LeastChunk = 8;
    private const double UnknownSeconds = 0.02;

    private readonly List<double> _decode = [];

    /// <summary>Tokens a second that sequences produce together.</summary>
    public Rate Decode { get; } = new(100);

    /// <param name="decoded">Tokens of sequences that decode.</param>
    /// <param name="produced">Tokens of answers that came of it.</param>
    /// <param name="prefilled">Tokens of prompts beside them.</param>
    /// <param name="took">The step's time.</param>
    public void Note(int decoded, int produced, int prefilled, TimeSpan took)
    {
        if (prefilled == 0)
        {
            Decode.Note(produced, took);
            while (_decode.Count <= decoded)
            {
                _decode.Add(0);
            }

            ref var known = ref System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_decode)[decoded];
            known = known == 0 ? took.TotalSeconds : known + Weight * (took.TotalSeconds - known);
        }
        else if (prefilled >= LeastChunk)
        {
            var share = decoded == 0 ? took.TotalSeconds : took.TotalSeconds - Seconds(decoded);
            rates.Prefill.Note(prefilled, TimeSpan.FromSeconds(Math.Max(share, took.TotalSeconds / 4)));
        }
    }

    /// <summary>Seconds of a step that decodes so many tokens: as measured, or from the next smaller one that was.</summary>
    public double Seconds(int decoded)
    {
        for (var count = Math.Min(decoded, _decode.Count - 1); count > 0; count--)
        {
            if (_decode[count] > 0)
            {
                return _decode[count] + rates.Prefill.Seconds(decoded - count);
            }
        }

        return UnknownSeconds + rates.Prefill.Seconds(decoded);
    }

    /// <summary>How many tokens of prompts may be computed beside sequences that decode.</summary>
    public int PrefillBudget(int decoded, int most) => decoded == 0
        ? most
        : Math.Clamp((int)((maxStretch - 1) * Seconds(decoded) * rates.Prefill.PerSecond), Math.Min(LeastChunk, most), most);
}
