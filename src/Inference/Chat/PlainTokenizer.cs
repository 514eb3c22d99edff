using System.Buffers;
using Herd.Inference.Runtime;
using Herd.Inference.Text;

namespace Herd.Inference.Chat;

/// <summary>
/// Tokenises text of users. The result contains no control token and no user-defined token. llama.cpp finds
/// user-defined tokens even without parsing special tokens, so text with their names is split inside the names.
/// </summary>
/// <param name="vocabulary">The vocabulary.</param>
/// <param name="maxTokens">
/// Tokens that a text may have. Up to twice as many are counted exactly, for the caller's error; a longer text is
/// refused before it is tokenised whole.
/// </param>
internal sealed class PlainTokenizer(IVocabulary vocabulary, int maxTokens)
{
    private const int PieceCharacters = 16 << 10;

    /// <summary>The characters after which older texts count for half.</summary>
    private const double MaxMeasured = 1 << 18;

    /// <summary>The tokens that a cut inside a word may add to a count, with a margin.</summary>
    private const int CutTokens = 8;

    private readonly Lazy<SearchValues<string>> _names = new(() => SearchValues.Create(
        [
            .. Enumerable.Range(0, vocabulary.Count)
                .Where(vocabulary.IsSpecial)
                .Select(vocabulary.Name)
                .Where(name => name.Length > FirstCharacter(name)),
        ],
        StringComparison.Ordinal));

    private readonly Lock _counted = new();
    private double _characters = TokenEstimate.CharactersPerToken;
    private double _tokens = 1;

    /// <summary>The characters of a token of recent texts; <see cref="TokenEstimate"/>'s before the first.</summary>
    public double CharactersPerToken
    {
        get
        {
            lock (_counted)
            {
                return _characters / Math.Max(1, _tokens);
            }
        }
    }

    private long MaxCounted => 2L * maxTokens;

    /// <exception cref="TextTooLongException">The text has more tokens than it may.</exception>
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public IReadOnlyList<int> Tokenize(string text)
    {
        // A shorter text is tokenised at once: that takes little.
        if (text.Length > MaxCounted * TokenEstimate.CharactersPerToken)
        {
            RefuseIfTooLong(text);
        }

        var tokens = vocabulary.Tokenize(text, parseSpecial: false);
        Record(text.Length, tokens.Length);
        return tokens.Any(vocabulary.IsSpecial) ? TokenizeInParts(text) : tokens;
    }

    private void Record(int characters, int tokens)
    {
        lock (_counted)
        {
            (_characters, _tokens) = (_characters + characters, _tokens + tokens);
            if (_characters > MaxMeasured)
            {
                (_characters, _tokens) = (_characters / 2, _tokens / 2);
            }
        }
    }

    /// <summary>
    /// Counts the tokens of the text in pieces, until they are too many: the work depends on the maximum, not on the
    /// text.
    /// </summary>
    private void RefuseIfTooLong(string text)
    {
        var count = 0;
        for (var at = 0; at < text.Length; at += PieceCharacters)
        {
            var piece = text.AsSpan(at, Math.Min(PieceCharacters, text.Length - at)).ToString();
            count += Math.Max(0, vocabulary.Tokenize(piece, parseSpecial: false).Length - CutTokens);
            if (count > MaxCounted)
            {
                throw new TextTooLongException(count, maxTokens);
            }
        }
    }

    /// <summary>Cuts the text behind the first character of each name, so that no part has a whole one.</summary>
    private List<int> TokenizeInParts(string text)
    {
        var tokens = new List<int>();
        for (var begin = 0; begin < text.Length;)
        {
            var next = NextCut(text, begin);
            tokens.AddRange(vocabulary.Tokenize(text[begin..next], parseSpecial: false));
            begin = next;
        }

        return tokens.FindIndex(vocabulary.IsSpecial) is >= 0 and var special
            ? throw new TemplateException(
                "The text holds a character that this model's vocabulary reads as the special token "
                    + $"{tokens[special]}. Remove it.")
            : tokens;
    }

    private int NextCut(string text, int begin)
    {
        var name = text.AsSpan(begin).IndexOfAny(_names.Value);
        return name < 0 ? text.Length : begin + name + FirstCharacter(text.AsSpan(begin + name));
    }

    private static int FirstCharacter(ReadOnlySpan<char> text) =>
        text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
}
