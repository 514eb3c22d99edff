using System.Globalization;
using System.Text.RegularExpressions;

namespace Herd.Inference.Chat;

/// <summary>Marks the text of messages, so that it can be found in the rendered template.</summary>
/// <param name="nonce">A random value, new for every rendering, so that no text can contain a mark.</param>
internal sealed class TextMarker(string nonce)
{
    private readonly string _open = $"\uE000{nonce}:";
    private readonly string _close = $"\uE001{nonce}\uE002";

    public string Mark(int message, string text) => $"{_open}{message}\uE002{text}{_close}";

    /// <summary>Splits a rendering into text of the template (message null) and text of messages.</summary>
    /// <exception cref="TemplateException">The template changed or split the text of a message.</exception>
    public IEnumerable<(string Text, int? Message)> Split(string rendered, int messages)
    {
        var at = 0;
        foreach (Match match in Regex.Matches(
            rendered,
            $"{Regex.Escape(_open)}(\\d+)\uE002(.*?){Regex.Escape(_close)}",
            RegexOptions.Singleline | RegexOptions.CultureInvariant))
        {
            if (match.Index > at)
            {
                yield return (Scaffold(rendered[at..match.Index]), null);
            }

            var message = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            if (message >= messages || match.Groups[2].Value.Contains(nonce, StringComparison.Ordinal))
            {
                throw Torn();
            }

            yield return (match.Groups[2].Value, message);
            at = match.Index + match.Length;
        }

        if (at < rendered.Length)
        {
            yield return (Scaffold(rendered[at..]), null);
        }
    }

    private string Scaffold(string text) => text.Contains(nonce, StringComparison.Ordinal) ? throw Torn() : text;

    private static TemplateException Torn() => new(
        "The chat template cuts messages apart (it looks inside their text), so their text cannot be kept from being "
        + "read as control tokens. Use a template that shows messages whole.");
}
