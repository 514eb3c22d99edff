using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Herd.Inference.Runtime;

namespace Herd.Inference.Chat;

/// <summary>
/// Turns messages into tokens by the model's own template. The text of messages is marked before it goes through the
/// template and tokenised apart from the scaffold around it, so no text can become a control token.
/// </summary>
public sealed class ChatTemplate : IDisposable
{
    private readonly JinjaTemplate _template;
    private readonly IVocabulary _vocabulary;
    private readonly PlainTokenizer _plain;
    private readonly bool _trims;

    /// <exception cref="TemplateException">The template does not parse, or does not show the messages it is given.</exception>
    public ChatTemplate(string source, IVocabulary vocabulary, TemplateOptions? options = null)
    {
        _template = new JinjaTemplate(source, options ?? new TemplateOptions());
        _vocabulary = vocabulary;
        _plain = new PlainTokenizer(vocabulary);
        _trims = Probe();
    }

    /// <summary>The tokens that ask the model for its next answer.</summary>
    /// <exception cref="TemplateException">The template refused the messages or went over its limits.</exception>
    public int[] Render(IReadOnlyList<ChatMessage> messages)
    {
        var marker = new TextMarker(RandomNumberGenerator.GetHexString(16));
        var rendered = Render(messages, (message, i) => marker.Mark(i, _trims ? message.Text.Trim() : message.Text));

        var tokens = new List<int>();
        foreach (var (text, message) in marker.Split(rendered, messages.Count))
        {
            tokens.AddRange(message switch
            {
                null => _vocabulary.Tokenize(text, parseSpecial: true),
                { } i when messages[i].Tokens is { } answer => answer,
                _ => _plain.Tokenize(text),
            });
        }

        if (_vocabulary.BeginningOfText is { } beginning && (tokens.Count == 0 || tokens[0] != beginning))
        {
            tokens.Insert(0, beginning);
        }

        return [.. tokens];
    }

    public void Dispose() => _template.Dispose();

    private string Render(IReadOnlyList<ChatMessage> messages, Func<ChatMessage, int, string> content)
    {
        var variables = new JsonObject
        {
            ["messages"] = new JsonArray([.. messages.Select((message, i) => new JsonObject
            {
                ["role"] = message.Role switch
                {
                    ChatRole.System => "system",
                    ChatRole.User => "user",
                    _ => "assistant",
                },
                ["content"] = content(message, i),
            })]),
            ["add_generation_prompt"] = true,
            ["bos_token"] = _vocabulary.BeginningOfTextPiece,
            ["eos_token"] = _vocabulary.EndOfTextPiece,
        };
        return _template.Render(JsonSerializer.SerializeToElement(variables));
    }

    /// <summary>Whether the template trims what it is given. Marked text cannot be trimmed by it, so then we do.</summary>
    private bool Probe()
    {
        const string Sample = "  herd probe  ";
        var rendered = Render([new ChatMessage(ChatRole.User, Sample)], (message, _) => message.Text);
        if (!rendered.Contains(Sample.Trim(), StringComparison.Ordinal))
        {
            throw new TemplateException("The chat template does not show the user's message; it cannot be used for chat.");
        }

        return !rendered.Contains(Sample, StringComparison.Ordinal);
    }
}
