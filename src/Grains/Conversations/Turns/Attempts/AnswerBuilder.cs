using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Conversations.Turns.Attempts;

/// <summary>
/// Collects an answer and passes new text on to the caller: all behind the caller's <see cref="ResumePoint"/>. The part
/// that an earlier attempt produced is delivered first.
/// </summary>
internal sealed class AnswerBuilder
{
    private readonly string _turn;
    private readonly TurnEvents _events;
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [];
    private readonly ResumePoint _resume;
    private (int Tokens, Action? Call) _milestone;

    /// <param name="turn">The turn, with the answer so far.</param>
    /// <param name="epoch">The conversation's epoch as this gateway knows it.</param>
    /// <param name="offset">The part of the answer that the caller already has.</param>
    /// <param name="events">The caller's events.</param>
    public AnswerBuilder(Turn turn, long epoch, AnswerOffset offset, TurnEvents events)
    {
        _turn = turn.Id;
        _events = events;
        _resume = new ResumePoint(offset, epoch);
        Epoch = epoch;
        Append(turn.Answer.Text, turn.Answer.Tokens, logProbs: null);
    }

    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>The epoch under which the following text is produced.</summary>
    public long Epoch { get; set; }

    /// <summary>
    /// Mirostat's bound after the latest event; null after an earlier attempt. Tokens restore the rest.
    /// </summary>
    public float? SamplerState { get; private set; }

    /// <exception cref="HerdException">The caller has more of the answer than this, or another answer.</exception>
    public void ThrowIfLost()
    {
        if (_resume.IsLost)
        {
            throw new HerdException(
                HerdError.AnswerLost,
                $"The part of the turn {_turn} that you already received was lost with its gateway and node. " +
                "Send the turn again with its id and without an offset, to get its answer from the beginning.",
                "resume");
        }
    }

    public Answer SoFar() => new(_text.ToString(), [.. _tokens], TokensFit: true);

    /// <summary>Takes over the whole answer of a node's replay buffer, if it begins with the answer so far.</summary>
    public void CatchUp(GenerationEvent whole)
    {
        var text = _text.ToString();
        if (whole.Text.StartsWith(text, StringComparison.Ordinal)
            && whole.Tokens.Take(_tokens.Count).SequenceEqual(_tokens))
        {
            Append(whole with { Text = whole.Text[text.Length..], Tokens = [.. whole.Tokens.Skip(_tokens.Count)] });
        }
    }

    /// <summary>Calls back when the answer has so many tokens. Replaces the call before.</summary>
    public void OnceAt(int tokens, Action call) => _milestone = (tokens, call);

    public void Append(GenerationEvent update)
    {
        SamplerState = update.SamplerState;
        Append(update.Text, update.Tokens, update.LogProbs);
    }

    private void Append(string text, IReadOnlyList<int> tokens, IReadOnlyList<TokenLogProbs>? logProbs)
    {
        _tokens.AddRange(tokens);
        _text.Append(text);
        var (fresh, skipped) = _resume.Advance(text, tokens.Count);
        if (!_resume.IsOtherAnswer && (tokens.Count > skipped || fresh.Length > 0))
        {
            _events.Write(new TurnEvent
            {
                Delta = new AnswerDelta(fresh, tokens.Count - skipped, Epoch)
                {
                    LogProbs = logProbs is null ? null : [.. logProbs.Skip(skipped)],
                    Digest = _resume.Digest,
                },
            });
        }

        if (_milestone is { Call: { } call, Tokens: var due } && _tokens.Count >= due)
        {
            _milestone = default;
            call();
        }
    }
}
