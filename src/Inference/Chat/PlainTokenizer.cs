using Herd.Inference.Runtime;

namespace Herd.Inference.Chat;

/// <summary>
/// Tokenises text of users: the result holds no control and no user-defined token. Not parsing special tokens is not
/// enough for that, since llama.cpp finds user-defined ones all the same; text in which it does is cut inside their names.
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
                $"The text holds a character that this model's vocabulary reads as the special token {special}. Remove it.");
        }

        return [.. Tokenize(text[..cut]), .. Tokenize(text[cut..])];
    }

    private static int FirstCharacter(string name) => name.Length > 1 && char.IsSurrogatePair(name[0], name[1]) ? 2 : 1;
}
