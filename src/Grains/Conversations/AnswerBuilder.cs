using System.IO.Hashing;
using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations;

/// <summary>
/// Collects an answer and passes it on, but for what the caller has already. What an earlier attempt produced is delivered
/// first.
/// </summary>
internal sealed class AnswerBuilder
{
    private readonly string _turn;
    private readonly TurnEvents _events;
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [];
    private readonly XxHash64 _digest = new();
    private long _bytesToSkip;
    private int _tokensToSkip;
    private ulong _callersDigest;
    private bool _isOther;

    /// <param name="turn">The turn.</param>
    /// <param name="epoch">The conversation's epoch as it is known here.</param>
    /// <param name="offset">
    /// What the caller has. When its digest is not known and it came under an epoch that is not known here, nothing here need begin with it.
    /// </param>
    /// <param name="events">Where to deliver.</param>
    public AnswerBuilder(Turn turn, long epoch, AnswerOffset offset, TurnEvents events)
    {
        _turn = turn.Id;
        _events = events;
        (_bytesToSkip, _tokensToSkip) = offset.Digest == 0 && offset.Epoch > epoch ? (long.MaxValue, int.MaxValue) : (offset.Bytes, offset.Tokens);
        _callersDigest = offset.Digest;
        Epoch = epoch;
        var soFar = turn.Answer;
        Append(soFar.Text, soFar.Tokens, chances: null);
    }

    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>What is delivered from now on is produced under it.</summary>
    public long Epoch { get; set; }

    /// <summary>What the latest event told of the sampler; null after an earlier attempt, whose tokens tell all but Mirostat's bound.</summary>
    public float? SamplerState { get; private set; }

    /// <exception cref="HerdException">The caller has more of the answer than this, or another.</exception>
    public void ThrowIfLost()
    {
        if (_bytesToSkip > 0 || _isOther)
        {
            throw new HerdException(
                HerdError.AnswerLost,
                $"What was delivered of the turn {_turn} was lost with the gateway and the node that had it. Take it again with its id, from the beginning.",
                "resume");
        }
    }

    public Answer SoFar() => new(_text.ToString(), [.. _tokens], TokensFit: true);

    /// <summary>Takes over what a node has of the whole answer, if that begins with what is here.</summary>
    public void CatchUp(GenerationEvent whole)
    {
        var text = _text.ToString();
        if (whole.Text.StartsWith(text, StringComparison.Ordinal) && whole.Tokens.Take(_tokens.Count).SequenceEqual(_tokens))
        {
            Append(whole with { Text = whole.Text[text.Length..], Tokens = [.. whole.Tokens.Skip(_tokens.Count)] });
        }
    }

    public void Append(GenerationEvent update)
    {
        SamplerState = update.SamplerState;
        Append(update.Text, update.Tokens, update.LogProbs);
    }

    private void Append(string text, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogProbs>? chances)
    {
        _tokens.AddRange(tokens);
        _text.Append(text);
        var fresh = Skip(text);
        var skipped = Math.Min(_tokensToSkip, tokens.Count);
        _tokensToSkip -= skipped;
        if (!_isOther && (tokens.Count > skipped || fresh.Length > 0))
        {
            _events.Write(new TurnEvent
            {
                Delta = new AnswerDelta(fresh, tokens.Count - skipped, Epoch)
                {
                    LogProbs = chances is null ? null : [.. chances.Skip(skipped)],
                    Digest = _digest.GetCurrentHashAsUInt64(),
                },
            });
        }
    }

    /// <summary>
    /// What of a text lies behind the caller's offset, which may turn out to be one in another answer. Offsets lie between characters,
    /// as deliveries do; one within a character is another's.
    /// </summary>
    private string Skip(string text)
    {
        var at = 0;
        while (_bytesToSkip > 0 && at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            _bytesToSkip -= rune.Utf8SequenceLength;
            at += rune.Utf16SequenceLength;
        }

        _digest.Append(Encoding.UTF8.GetBytes(text[..at]));
        if (_bytesToSkip <= 0 && _callersDigest != 0)
        {
            _isOther = _callersDigest != _digest.GetCurrentHashAsUInt64();
            _callersDigest = 0;
        }

        _isOther |= _bytesToSkip < 0;

        var fresh = text[at..];
        _digest.Append(Encoding.UTF8.GetBytes(fresh));
        return fresh;
    }
}
