using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// The latest answer of a session. A caller that lost it with its gateway finds here all tokens that may have been
/// delivered. Thread-safe.
/// </summary>
internal sealed class ReplayBuffer
{
    private readonly Lock _lock = new();
    private readonly List<int> _tokens = [];
    private readonly StringBuilder _text = new();
    private string _turn = "";
    private GenerationEvent? _last;
    private Usage? _prompt;
    private SessionRequest? _running;

    /// <summary>Begins an answer with the tokens that this or another node has produced.</summary>
    /// <returns>Dispose at the answer's end. It stays here.</returns>
    public IDisposable Begin(SessionRequest request)
    {
        lock (_lock)
        {
            _running = request;
            _turn = request.Turn;
            _tokens.Clear();
            _tokens.AddRange(request.Produced);
            _text.Clear().Append(request.ProducedText);
            _prompt = null;
            _last = new GenerationEvent([], "", null) { SamplerState = request.SamplerState };
            return new DisposeAction(() => End(request));
        }
    }

    public void Append(GenerationEvent update)
    {
        lock (_lock)
        {
            _tokens.AddRange(update.Tokens);
            _text.Append(update.Text);
            _last = update;
            _prompt ??= update.Prompt;
        }
    }

    /// <summary>Erases the answer.</summary>
    /// <returns>False while it is being generated.</returns>
    public bool TryErase()
    {
        lock (_lock)
        {
            if (_running is not null)
            {
                return false;
            }

            _turn = "";
            _tokens.Clear();
            _text.Clear();
            _last = null;
            return true;
        }
    }

    /// <summary>The whole answer as one event; null if the turn is not the latest one.</summary>
    public GenerationEvent? Find(string turn)
    {
        lock (_lock)
        {
            return turn.Length > 0 && turn == _turn
                ? _last! with { Tokens = [.. _tokens], Text = _text.ToString(), LogProbs = null, Prompt = _prompt }
                : null;
        }
    }

    private void End(SessionRequest request)
    {
        lock (_lock)
        {
            // Another answer may have begun.
            _running = ReferenceEquals(_running, request) ? null : _running;
        }
    }
}
