using System.Buffers;
using Herd.Inference.Runtime;

namespace Herd.Inference.Sampling;

/// <summary>
/// The DRY penalty (p-e-w, 2024). A token that followed an earlier occurrence of the text's end would extend a
/// repetition. The lengths of all repetitions come from the Z-function of the reversed text, in linear time.
/// </summary>
internal sealed class Dry(IVocabulary vocabulary)
{
    /// <summary>
    /// Repetitions end at tokens with one of these bytes, so that lists and dialogues are not penalised.
    /// </summary>
    private static readonly SearchValues<byte> Breakers = SearchValues.Create("\n:\"*"u8);

    private const int LongestRun = 64;

    private readonly Dictionary<int, int> _longest = [];

    /// <param name="logits">Changed in place.</param>
    /// <param name="options">The penalty.</param>
    /// <param name="tokens">Prompt and answer so far.</param>
    public void Apply(Span<float> logits, DryOptions options, ReadOnlySpan<int> tokens)
    {
        var window = options.Window == 0 ? tokens : tokens[Math.Max(0, tokens.Length - options.Window)..];
        var max = UnbrokenEnd(window);
        if (max < options.AllowedLength)
        {
            return;
        }

        _longest.Clear();
        var lengths = ArrayPool<int>.Shared.Rent(window.Length);
        ReversedPrefixLengths(window, lengths);
        for (var end = 0; end < window.Length - 1; end++)
        {
            var run = Math.Min(lengths[window.Length - 1 - end], max);
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

    /// <summary>The number of tokens at the end without a breaker.</summary>
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

    /// <summary>
    /// The Z-function of the reversed text (Gusfield, 1997): for each index, the length of the common prefix of the
    /// text from there and the whole text.
    /// </summary>
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
