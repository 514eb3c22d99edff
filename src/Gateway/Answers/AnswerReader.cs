using Herd.Contracts.Conversations;
using Herd.Gateway.Conversations;

namespace Herd.Gateway.Answers;

/// <summary>
/// Splits an answer into thoughts, text and calls as it arrives. The result is the same for all ways in which the text
/// may be cut into pieces. An invalid call stays text. Only white space around calls is dropped.
/// </summary>
internal sealed class AnswerReader
{
    private const string ThoughtOpen = "<think>";
    private const string ThoughtClose = "</think>";

    private readonly AnswerMarkup _markup;
    private readonly IReadOnlyList<Tool> _tools;
    private readonly string _turn;
    private State _state;
    private string _held = "";
    private int _calls;
    private bool _hasThought;

    private enum State
    {
        Begin,
        Thought,
        Text,
        Call,
        Object,
    }

    /// <param name="markup">The model's markup of thoughts and calls.</param>
    /// <param name="settings">The settings, with the functions that the model may call.</param>
    /// <param name="turn">The turn's id. The ids of its calls are made from it.</param>
    public AnswerReader(AnswerMarkup markup, GenerationSettings settings, string turn)
    {
        _markup = markup;
        _tools = settings.Tools ?? [];
        _turn = turn;
        _state = markup.HasFlag(AnswerMarkup.BeginsThinking) ? State.Thought : State.Begin;
    }

    /// <summary>True if the answer has only text.</summary>
    public bool IsPlain => _tools.Count == 0 && (_markup & (AnswerMarkup.Thinks | AnswerMarkup.BeginsThinking)) == 0;

    /// <summary>True if the answer has a call so far.</summary>
    public bool HasCalled => _calls > 0;

    /// <summary>Adds text, and returns the parts that later text cannot change.</summary>
    public IEnumerable<AnswerPart> Append(string text)
    {
        if (IsPlain)
        {
            return text.Length > 0 ? [new AnswerPart(Text: text)] : [];
        }

        _held += text;
        return Read(isOver: false);
    }

    /// <summary>Ends the answer, and returns its last parts.</summary>
    public IEnumerable<AnswerPart> End() => Read(isOver: true);

    /// <summary>The parts of a complete answer.</summary>
    public IReadOnlyList<AnswerPart> All(string answer) => [.. Append(answer).ToList(), .. End()];

    private List<AnswerPart> Read(bool isOver)
    {
        var parts = new List<AnswerPart>();
        while (_state switch
        {
            State.Begin => Begin(isOver),
            State.Thought => Thought(parts, isOver),
            State.Text => Text(parts, isOver),
            State.Call => Call(parts, isOver),
            _ => Object(parts, isOver),
        })
        {
            // Each state may be followed by another one.
        }

        return parts;
    }

    private bool Begin(bool isOver)
    {
        var begun = _held.TrimStart();
        var mayThink = _markup.HasFlag(AnswerMarkup.Thinks);
        var mayOpen = mayThink
            && begun.Length < ThoughtOpen.Length
            && ThoughtOpen.StartsWith(begun, StringComparison.Ordinal);
        if (!isOver && (begun.Length == 0 || mayOpen))
        {
            return false;
        }

        if (mayThink && begun.StartsWith(ThoughtOpen, StringComparison.Ordinal))
        {
            (_state, _held) = (State.Thought, begun[ThoughtOpen.Length..]);
        }
        else
        {
            // The white space between a thought and the answer is dropped.
            _held = _hasThought ? begun : _held;
            _state = _tools.Count > 0 && _markup.HasFlag(AnswerMarkup.BareCalls) && begun.StartsWith('{')
                ? State.Object
                : State.Text;
        }

        return true;
    }

    private bool Thought(List<AnswerPart> parts, bool isOver)
    {
        _held = _hasThought ? _held : _held.TrimStart();
        var end = _held.IndexOf(ThoughtClose, StringComparison.Ordinal);
        var sure = end >= 0 ? end : isOver ? _held.Length : _held.Length - TagStart(_held, ThoughtClose);
        Add(parts, new AnswerPart(Thought: _held[..sure]));
        _hasThought |= sure > 0 || end >= 0;
        _held = end >= 0 ? _held[(end + ThoughtClose.Length)..] : _held[sure..];
        _state = end >= 0 ? State.Begin : _state;
        return end >= 0;
    }

    private bool Text(List<AnswerPart> parts, bool isOver)
    {
        if (_tools.Count == 0 || _markup.HasFlag(AnswerMarkup.BareCalls))
        {
            Add(parts, new AnswerPart(Text: _held));
            _held = "";
            return false;
        }

        var call = _held.IndexOf(CallText.Open, StringComparison.Ordinal);
        if (call >= 0)
        {
            Add(parts, new AnswerPart(Text: _held[..call].TrimEnd()));
            (_state, _held) = (State.Call, _held[(call + CallText.Open.Length)..]);
            return true;
        }

        // White space before a call is dropped, so it waits for the text that follows.
        var sure = isOver ? _held.Length : _held[..^TagStart(_held, CallText.Open)].TrimEnd().Length;
        Add(parts, new AnswerPart(Text: isOver && HasCalled ? _held.TrimEnd() : _held[..sure]));
        _held = _held[sure..];
        return false;
    }

    private bool Call(List<AnswerPart> parts, bool isOver)
    {
        var end = _held.IndexOf(CallText.Close, StringComparison.Ordinal);
        if (end < 0 && !isOver)
        {
            return false;
        }

        var json = end >= 0 ? _held[..end] : _held;
        var close = end >= 0 ? CallText.Close : "";
        parts.Add(ToCall(json) ?? new AnswerPart(Text: CallText.Open + json + close));
        var rest = _held[(json.Length + close.Length)..];
        (_state, _held) = (State.Text, HasCalled ? rest.TrimStart() : rest);
        return true;
    }

    private bool Object(List<AnswerPart> parts, bool isOver)
    {
        if (isOver)
        {
            Add(parts, ToCall(_held) ?? new AnswerPart(Text: _held));
            _held = "";
        }

        return false;
    }

    private AnswerPart? ToCall(string json)
    {
        if (CallText.Read(json, _tools) is not var (name, arguments))
        {
            return null;
        }

        var id = $"call_{ConversationClient.WithoutPrefix(_turn)}_{_calls++}";
        return new AnswerPart(Call: new ToolCall(id, name, arguments));
    }

    private static void Add(List<AnswerPart> parts, AnswerPart part)
    {
        if (part.Call is not null || part.Thought is { Length: > 0 } || part.Text is { Length: > 0 })
        {
            parts.Add(part);
        }
    }

    /// <summary>The number of characters at the end that may be the start of a tag.</summary>
    private static int TagStart(string text, string tag)
    {
        for (var length = Math.Min(tag.Length - 1, text.Length); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(tag.AsSpan(0, length)))
            {
                return length;
            }
        }

        return 0;
    }
}
