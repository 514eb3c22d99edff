using Herd.Inference.Runtime;

namespace Herd.Inference.Chat;

/// <summary>
/// Tokenises text of users. The result contains no control token and no user-defined token. llama.cpp finds
/// user-defined tokens even without parsing special tokens, so text with their names is split inside the names.
/// </summary>
internal sealed class PlainTokenizer(IVocabulary vocabulary)
{
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public IReadOnlyList<int> Tokenize(string text)
    {
        var tokens = vocabulary.Tokenize(text, parseSpecial: false);
        var special = Array.FindIndex(tokens, vocabulary.IsSpecial);
        return special < 0 ? tokens : TokenizeInParts(text, tokens[special]);
    }

    private List<int> TokenizeInParts(string text, int special)
    {
        var name = vocabulary.Name(special);
        var at = text.IndexOf(name, StringComparison.Ordinal);
        var cut = at + FirstCharacter(name);
        if (at < 0 || cut >= at + name.Length)
        {
            throw new TemplateException(
                $"The text holds a character that this model's vocabulary reads as the special token {special}. "
                    + "Remove it.");
        }

        return [.. Tokenize(text[..cut]), .. Tokenize(text[cut..])];
    }

    private static int FirstCharacter(string name) => name.Length > 1 && char.IsSurrogatePair(name[0], name[1]) ? 2 : 1;
}
