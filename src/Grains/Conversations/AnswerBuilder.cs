using System.Text;
using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations;

/// <summary>
/// Collects an answer and passes it on, but for what the caller has already. What an earlier attempt produced is delivered
/// first.
/// </summary>
internal sealed class AnswerBuilder
{
    private readonly ChannelWriter<TurnEvent> _events;
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [];
    private long _bytesToSkip;
    private int _tokensToSkip;

    public AnswerBuilder(Answer soFar, AnswerOffset offset, ChannelWriter<TurnEvent> events)
    {
        _events = events;
        _bytesToSkip = offset.Bytes;
        _tokensToSkip = offset.Tokens;
        Append(soFar.Text, soFar.Tokens);
    }

    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Whether the caller has more of the answer than this.</summary>
    public bool IsBehind => _bytesToSkip > 0;

    /// <summary>What the latest event told of the sampler; null after an earlier attempt, whose tokens tell all but Mirostat's bound.</summary>
    public float? SamplerState { get; private set; }

    public Answer SoFar() => new(_text.ToString(), [.. _tokens], TokensFit: true);

    public void Append(GenerationEvent update)
    {
        SamplerState = update.SamplerState;
        Append(update.Text, update.Tokens);
    }

    private void Append(string text, IReadOnlyList<int> tokens)
    {
        _tokens.AddRange(tokens);
        _text.Append(text);
        var fresh = Skip(text);
        var skipped = Math.Min(_tokensToSkip, tokens.Count);
        _tokensToSkip -= skipped;
        if (tokens.Count > skipped || fresh.Length > 0)
        {
            _events.TryWrite(new TurnEvent { Delta = new AnswerDelta(fresh, tokens.Count - skipped) });
        }
    }

    /// <summary>What of a text lies behind the caller's offset. Offsets lie between characters, as deliveries do.</summary>
    private string Skip(string text)
    {
        var at = 0;
        while (_bytesToSkip > 0 && at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            _bytesToSkip -= rune.Utf8SequenceLength;
            at += rune.Utf16SequenceLength;
        }

        return text[at..];
    }
}
