using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Conversations.Turns;

/// <summary>
/// Counts what a turn computes: its prompt once, as the first attempt found it, and each token of its answer once. What
/// a failover computes again does not count.
/// </summary>
/// <param name="before">What earlier calls of the turn computed; null if nothing.</param>
/// <param name="events">The caller's events. They have what is computed from now on.</param>
internal sealed class TurnMeter(Usage? before, TurnEvents events)
{
    private Usage? _usage = before;

    /// <summary>Counts what a node computed.</summary>
    public void Count(GenerationEvent update)
    {
        events.AddComputed(update.Tokens.Count);
        if (_usage is null && update.Prompt is { } prompt)
        {
            _usage = prompt;
            events.AddComputed(prompt.PromptTokens - prompt.CachedTokens);
            events.Write(new TurnEvent { Delta = AnswerDelta.Empty });
        }
    }

    /// <summary>Takes over what an earlier owner counted: the prompt of a replay buffer.</summary>
    public void TakeOver(GenerationEvent buffer) => _usage ??= buffer.Prompt;

    /// <summary>The usage so far; null if nothing was computed.</summary>
    public Usage? SoFar(int answered) => _usage is { } usage ? usage with { CompletionTokens = answered } : null;

    /// <summary>The usage of the completed turn.</summary>
    /// <param name="last">The usage of the last attempt.</param>
    public Usage Complete(Usage last)
    {
        if (_usage is null)
        {
            // The node's version is older: it did not say when it began to compute the prompt.
            _usage = last;
            events.AddComputed(last.PromptTokens - last.CachedTokens);
        }

        return _usage with { CompletionTokens = last.CompletionTokens };
    }
}
