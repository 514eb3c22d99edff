using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// The latest answer of a session. A caller that lost it with its gateway finds here all tokens that may have been
/// delivered.
/// </summary>
internal sealed class ReplayBuffer
{
    private readonly List<int> _tokens = [];
    private readonly StringBuilder _text = new();
    private string _turn = "";
    private GenerationEvent? _last;
    private Usage? _prompt;

    /// <summary>Begins an answer with the tokens that this or another node has produced.</summary>
    public void Begin(SessionRequest request)
    {
        _turn = request.Turn;
        _tokens.Clear();
        _tokens.AddRange(request.Produced);
        _text.Clear().Append(request.ProducedText);
        _prompt = null;
        _last = new GenerationEvent([], "", null) { SamplerState = request.SamplerState };
    }

    public void Append(GenerationEvent update)
    {
        _tokens.AddRange(update.Tokens);
        _text.Append(update.Text);
        _last = update;
        _prompt ??= update.Prompt;
    }

    /// <summary>The whole answer as one event; null if the turn is not the latest one.</summary>
    public GenerationEvent? Find(string turn) => turn.Length > 0 && turn == _turn
        ? _last! with { Tokens = [.. _tokens], Text = _text.ToString(), LogProbs = null, Prompt = _prompt }
        : null;
}
