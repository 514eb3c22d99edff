using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Herd.Inference.Runtime;

namespace Herd.Inference.Chat;

/// <summary>
/// Converts messages to tokens with the model's chat template. The text of messages is marked before rendering and
/// tokenised apart from the template's own text, so no text of a user can become a control token.
/// </summary>
public sealed class ChatTemplate : IDisposable
{
    private const string ThoughtBegins = "<think>";
    private const string ThoughtEnds = "</think>";

    /// <summary>Tokens of a text that is tokenised for its own sake, where the context holds fewer.</summary>
    private const int MaxCountedTokens = 128 << 10;

    private readonly JinjaTemplate _template;
    private readonly IVocabulary _vocabulary;
    private readonly PlainTokenizer _plain;
    private readonly PlainTokenizer _counted;
    private readonly int _maxTokens;
    private readonly bool _trims;

    /// <param name="source">The template.</param>
    /// <param name="vocabulary">The tokens of its model.</param>
    /// <param name="maxTokens">Tokens that the context holds.</param>
    /// <param name="options">The limits of the template; null means the default.</param>
    /// <exception cref="TemplateException">The template cannot be parsed, or does not render the messages.</exception>
    public ChatTemplate(
        string source, IVocabulary vocabulary, int maxTokens = int.MaxValue, TemplateOptions? options = null)
    {
        _template = new JinjaTemplate(source, options ?? new TemplateOptions());
        _vocabulary = vocabulary;
        _maxTokens = maxTokens;
        _plain = new PlainTokenizer(vocabulary, maxTokens);
        _counted = new PlainTokenizer(vocabulary, Math.Max(maxTokens, MaxCountedTokens));
        (_trims, BeginsThinking) = Probe();
        TokensPerMessage = MeasureMessage();
        Thinks = source.Contains(ThoughtBegins, StringComparison.Ordinal);
        Tools = StyleOf(source);
    }

    /// <summary>The style in which functions are described to the model.</summary>
    public ToolStyle Tools { get; }

    /// <summary>True if the model writes its reasoning between think tags before the answer.</summary>
    public bool Thinks { get; }

    /// <summary>True if the rendered prompt already ends with an open think tag.</summary>
    public bool BeginsThinking { get; }

    /// <summary>
    /// The tokens that the template adds to a message of a chat: the mean of a user's message and an answer, rounded
    /// up. 0 if the template does not render such a chat.
    /// </summary>
    public int TokensPerMessage { get; }

    /// <summary>The measured characters of a token of recent texts.</summary>
    public double CharactersPerToken => _plain.CharactersPerToken;

    /// <summary>Renders a conversation to the tokens of a prompt.</summary>
    /// <param name="messages">The messages, oldest first.</param>
    /// <param name="tools">The functions that the model may call; null means none.</param>
    /// <exception cref="TextTooLongException">The messages have more tokens than the context holds twice.</exception>
    /// <exception cref="TemplateException">The template rejected the messages or exceeded its limits.</exception>
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
            if (tokens.Count > 2L * _maxTokens)
            {
                throw new TextTooLongException(tokens.Count, _maxTokens);
            }
        }

        if (_vocabulary.BeginningOfText is { } beginning && (tokens.Count == 0 || tokens[0] != beginning))
        {
            tokens.Insert(0, beginning);
        }

        return [.. tokens];
    }

    /// <summary>Tokenises a text without a template and without control tokens.</summary>
    /// <exception cref="TextTooLongException">The text has more tokens than the context, and than 128 Ki.</exception>
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public int[] Tokenize(string text) => [.. _counted.Tokenize(text)];

    /// <summary>The tokens of a prompt for the continuation of a text.</summary>
    /// <exception cref="TextTooLongException">The text does not fit into the context.</exception>
    /// <exception cref="TemplateException">A single character stands for a control token.</exception>
    public int[] Begin(string text) =>
        [.. _vocabulary.BeginningOfText is { } beginning ? [beginning] : Array.Empty<int>(), .. _plain.Tokenize(text)];

    public void Dispose() => _template.Dispose();

    /// <summary>The text to render. It must contain nothing at which the template would cut it.</summary>
    private string Shown(ChatMessage message)
    {
        var text = message.Tokens is not null ? "" // Its tokens are used instead.
            : Thinks && message.Role == ChatRole.Assistant ? message.Text[AfterThought(message.Text)..]
            : message.Text;
        return _trims ? text.Trim() : text;
    }

    private static int AfterThought(string text) =>
        text.LastIndexOf(ThoughtEnds, StringComparison.Ordinal) is >= 0 and var end ? end + ThoughtEnds.Length : 0;

    private string Render(
        IReadOnlyList<ChatMessage> messages, Func<ChatMessage, int, string> content, JsonArray? tools = null)
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

        return _template.Render(variables.ToJsonString(), messages.Count + (tools?.Count ?? 0));
    }

    /// <summary>
    /// Tests if the template trims texts, and if it opens a think tag. A template cannot trim marked text, so text is
    /// trimmed before if it would.
    /// </summary>
    private (bool Trims, bool BeginsThinking) Probe()
    {
        const string Sample = "  herd probe  ";
        var rendered = Render([new ChatMessage(ChatRole.User, Sample)], (message, _) => message.Text);
        if (!rendered.Contains(Sample.Trim(), StringComparison.Ordinal))
        {
            throw new TemplateException(
                "The chat template does not render the user's message; it cannot be used for chat.");
        }

        return (
            !rendered.Contains(Sample, StringComparison.Ordinal),
            rendered.TrimEnd().EndsWith(ThoughtBegins, StringComparison.Ordinal));
    }

    private int MeasureMessage()
    {
        ChatMessage[] pair = [new(ChatRole.User, ""), new(ChatRole.Assistant, "", [])];
        try
        {
            var one = Render([.. pair, pair[0]]).Length;
            return (Render([.. pair, .. pair, pair[0]]).Length - one + 1) / 2;
        }
        catch (TemplateException)
        {
            return 0;
        }
    }

    /// <summary>Detects the call style of the model by the words of its template.</summary>
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
                [
                    new ChatMessage(ChatRole.User, "hello"),
                    new ChatMessage(ChatRole.Assistant, "hello"),
                    new ChatMessage(ChatRole.Tool, "hello"),
                ],
                (message, _) => message.Text,
                [ToolInstructions.Describe(new ToolDefinition(Sample))]).Contains(Sample, StringComparison.Ordinal);
        }
        catch (TemplateException)
        {
            return false;
        }
    }
}
