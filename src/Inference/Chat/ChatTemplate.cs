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
    private const string ThoughtBegins = "<think>";
    private const string ThoughtEnds = "</think>";

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
        (_trims, BeginsThinking) = Probe();
        Thinks = source.Contains(ThoughtBegins, StringComparison.Ordinal);
        Tools = StyleOf(source);
    }

    /// <summary>How the model is shown functions.</summary>
    public ToolStyle Tools { get; }

    /// <summary>Whether what the model thinks before its answer stands between think tags.</summary>
    public bool Thinks { get; }

    /// <summary>Whether the template has opened the thought already.</summary>
    public bool BeginsThinking { get; }

    /// <summary>The tokens that ask the model for its next answer.</summary>
    /// <param name="messages">What was said.</param>
    /// <param name="tools">What the model may call; null means nothing.</param>
    /// <exception cref="TemplateException">The template refused the messages or went over its limits.</exception>
    public int[] Render(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition>? tools = null)
    {
        tools ??= [];
        messages = Tools == ToolStyle.Instructed ? ToolInstructions.Apply(messages, tools) : messages;
        var marker = new TextMarker(RandomNumberGenerator.GetHexString(16));
        var marked = new MarkedTools(marker, messages.Count);
        var rendered = Render(
            messages,
            (message, i) => marker.Mark(i, Shown(message)),
            Tools == ToolStyle.Instructed || tools.Count == 0 ? null : marked.From(tools));

        var tokens = new List<int>();
        foreach (var (text, mark) in marker.Split(rendered, marked.Marks))
        {
            tokens.AddRange(mark switch
            {
                null => _vocabulary.Tokenize(text, parseSpecial: true),
                { } i when i < messages.Count && messages[i].Tokens is { } answer => answer,
                _ => _plain.Tokenize(text),
            });
        }

        if (_vocabulary.BeginningOfText is { } beginning && (tokens.Count == 0 || tokens[0] != beginning))
        {
            tokens.Insert(0, beginning);
        }

        return [.. tokens];
    }

    /// <summary>The tokens of a text that no template is put around, none of them control tokens.</summary>
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public int[] Tokenize(string text) => [.. _plain.Tokenize(text)];

    /// <summary>The tokens that ask the model to go on with a text.</summary>
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public int[] Begin(string text) => [.. _vocabulary.BeginningOfText is { } beginning ? [beginning] : Array.Empty<int>(), .. _plain.Tokenize(text)];

    public void Dispose() => _template.Dispose();

    /// <summary>The text that goes through the template, which must find nothing in it that it would cut at.</summary>
    private string Shown(ChatMessage message)
    {
        var text = message.Tokens is not null ? "" // Its tokens take its place.
            : Thinks && message.Role == ChatRole.Assistant ? message.Text[AfterThought(message.Text)..]
            : message.Text;
        return _trims ? text.Trim() : text;
    }

    private static int AfterThought(string text) =>
        text.LastIndexOf(ThoughtEnds, StringComparison.Ordinal) is >= 0 and var end ? end + ThoughtEnds.Length : 0;

    private string Render(IReadOnlyList<ChatMessage> messages, Func<ChatMessage, int, string> content, JsonArray? tools = null)
    {
        var variables = new JsonObject
        {
            ["messages"] = new JsonArray([.. messages.Select((message, i) => new JsonObject
            {
                ["role"] = message.Role switch
                {
                    ChatRole.System => "system",
                    ChatRole.User => "user",
                    ChatRole.Tool => "tool",
                    _ => "assistant",
                },
                ["content"] = content(message, i),
            })]),
            ["add_generation_prompt"] = true,
            ["bos_token"] = _vocabulary.BeginningOfTextPiece,
            ["eos_token"] = _vocabulary.EndOfTextPiece,
        };
        if (tools is not null)
        {
            variables["tools"] = tools;
        }

        return _template.Render(JsonSerializer.SerializeToElement(variables));
    }

    /// <summary>
    /// Whether the template trims what it is given (marked text cannot be trimmed by it, so then we do), and whether it opens
    /// a thought.
    /// </summary>
    private (bool Trims, bool BeginsThinking) Probe()
    {
        const string Sample = "  herd probe  ";
        var rendered = Render([new ChatMessage(ChatRole.User, Sample)], (message, _) => message.Text);
        if (!rendered.Contains(Sample.Trim(), StringComparison.Ordinal))
        {
            throw new TemplateException("The chat template does not show the user's message; it cannot be used for chat.");
        }

        return (!rendered.Contains(Sample, StringComparison.Ordinal), rendered.TrimEnd().EndsWith(ThoughtBegins, StringComparison.Ordinal));
    }

    /// <summary>The styles of calling that answers can be read in are told by what their templates say of them.</summary>
    private ToolStyle StyleOf(string source)
    {
        bool Says(string text) => source.Contains(text, StringComparison.Ordinal);

        var style = Says("<tool_call>") && !Says("<function=") ? ToolStyle.Tagged
            : Says("\"parameters\": ") && Says("{\"name\": ") ? ToolStyle.Bare
            : ToolStyle.Instructed;
        return style != ToolStyle.Instructed && ShowsTools() ? style : ToolStyle.Instructed;
    }

    private bool ShowsTools()
    {
        const string Sample = "herd_probe";
        try
        {
            return Render(
                [new ChatMessage(ChatRole.User, "hello"), new ChatMessage(ChatRole.Assistant, "hello"), new ChatMessage(ChatRole.Tool, "hello")],
                (message, _) => message.Text,
                [ToolInstructions.Describe(new ToolDefinition(Sample))]).Contains(Sample, StringComparison.Ordinal);
        }
        catch (TemplateException)
        {
            return false;
        }
    }
}
