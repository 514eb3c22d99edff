using System.Text;
using System.Threading.Channels;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations;

/// <summary>Collects an answer and passes it on. What an earlier attempt produced is delivered first.</summary>
internal sealed class AnswerBuilder
{
    private readonly ChannelWriter<TurnEvent> _events;
    private readonly StringBuilder _text;
    private readonly List<int> _tokens;

    public AnswerBuilder(Answer soFar, ChannelWriter<TurnEvent> events)
    {
        _events = events;
        _text = new StringBuilder(soFar.Text);
        _tokens = [.. soFar.Tokens];
        if (!soFar.IsEmpty)
        {
            Deliver(soFar.Text, soFar.Tokens.Count);
        }
    }

    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>What the latest event told of the sampler; null after an earlier attempt, whose tokens tell all but Mirostat's bound.</summary>
    public float? SamplerState { get; private set; }

    public Answer SoFar() => new(_text.ToString(), [.. _tokens], TokensFit: true);

    public void Append(GenerationEvent update)
    {
        _tokens.AddRange(update.Tokens);
        _text.Append(update.Text);
        SamplerState = update.SamplerState;
        if (update.Tokens.Count > 0 || update.Text.Length > 0)
        {
            Deliver(update.Text, update.Tokens.Count);
        }
    }

    private void Deliver(string text, int tokens) =>
        _events.TryWrite(new TurnEvent { Delta = new AnswerDelta(text, tokens) });
}
