using System.Text;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Nodes;

/// <summary>
/// The answer that was produced last, kept so that whoever lost it with its gateway finds all that may have been delivered.
/// </summary>
internal sealed class ReplayBuffer
{
    private readonly List<int> _tokens = [];
    private readonly StringBuilder _text = new();
    private string _turn = "";
    private GenerationEvent? _last;

    /// <summary>Begins with what was produced before, here or elsewhere.</summary>
    public void Begin(SessionRequest request)
    {
        _turn = request.Turn;
        _tokens.Clear();
        _tokens.AddRange(request.Produced);
        _text.Clear().Append(request.ProducedText);
        _last = new GenerationEvent([], "", null) { SamplerState = request.SamplerState };
    }

    public void Append(GenerationEvent update)
    {
        _tokens.AddRange(update.Tokens);
        _text.Append(update.Text);
        _last = update;
    }

    /// <summary>All of it in one; null when the turn is not the one that was answered last.</summary>
    public GenerationEvent? Find(string turn) => turn.Length > 0 && turn == _turn
        ? _last! with { Tokens = [.. _tokens], Text = _text.ToString(), LogProbs = null }
        : null;
}
