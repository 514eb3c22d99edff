using System.Buffers;
using Herd.Inference.Runtime;

namespace Herd.Inference.Sampling;

/// <summary>
/// The DRY penalty. For every earlier place where what precedes it equals the end of the text, the token found there would make
/// a run longer. The lengths of all these runs come from the Z-function of the reversed text, in one pass.
/// </summary>
internal sealed class Dry(IVocabulary vocabulary)
{
    /// <summary>Runs end at tokens that hold one of these, so that the form of lists and dialogues is free.</summary>
    private static readonly SearchValues<byte> Breakers = SearchValues.Create("\n:\"*"u8);

    private const int LongestRun = 64;

    private readonly Dictionary<int, int> _longest = [];

    /// <param name="logits">Changed in place.</param>
    /// <param name="options">What to apply.</param>
    /// <param name="tokens">Prompt and answer so far.</param>
    public void Apply(Span<float> logits, DryOptions options, ReadOnlySpan<int> tokens)
    {
        var window = options.Window == 0 ? tokens : tokens[Math.Max(0, tokens.Length - options.Window)..];
        var most = UnbrokenEnd(window);
        if (most < options.AllowedLength)
        {
            return;
        }

        _longest.Clear();
        var lengths = ArrayPool<int>.Shared.Rent(window.Length);
        ReversedPrefixLengths(window, lengths);
        for (var end = 0; end < window.Length - 1; end++)
        {
            var run = Math.Min(lengths[window.Length - 1 - end], most);
            if (run >= options.AllowedLength)
            {
                var next = window[end + 1];
                _longest[next] = Math.Max(_longest.GetValueOrDefault(next), run);
            }
        }

        ArrayPool<int>.Shared.Return(lengths);
        foreach (var (token, run) in _longest)
        {
            logits[token] -= options.Multiplier * MathF.Pow(options.Base, run - options.AllowedLength);
        }
    }

    /// <summary>How many tokens at the end hold no breaker.</summary>
    private int UnbrokenEnd(ReadOnlySpan<int> tokens)
    {
        var count = 0;
        while (count < Math.Min(tokens.Length, LongestRun)
            && !vocabulary.Bytes(tokens[^(count + 1)]).ContainsAny(Breakers)
            && !vocabulary.IsSpecial(tokens[^(count + 1)]))
        {
            count++;
        }

        return count;
    }

    /// <summary>For each place i of the reversed text: how many tokens from there on equal its beginning (Gusfield, 1997).</summary>
    private static void ReversedPrefixLengths(ReadOnlySpan<int> tokens, Span<int> lengths)
    {
        var count = tokens.Length;
        lengths[0] = 0;
        int left = 0, right = 0;
        for (var i = 1; i < count; i++)
        {
            var length = i < right ? Math.Min(right - i, lengths[i - left]) : 0;
            while (i + length < count && tokens[count - 1 - length] == tokens[count - 1 - i - length])
            {
                length++;
            }

            lengths[i] = length;
            if (i + length > right)
            {
                (left, right) = (i, i + length);
            }
        }
    }
}
