namespace Herd.Inference.Sampling;

/// <summary>Applies repetition, frequency and presence penalties to logits. Holds only scratch memory.</summary>
internal sealed class Penalties(int vocabulary)
{
    private readonly int[] _counts = new int[vocabulary];

    /// <param name="logits">Changed in place.</param>
    /// <param name="options">The penalties.</param>
    /// <param name="tokens">Prompt and answer so far.</param>
    /// <param name="prompt">The number of them that belong to the prompt.</param>
    public void Apply(Span<float> logits, PenaltyOptions options, ReadOnlySpan<int> tokens, int prompt)
    {
        if (options.Repetition != 1)
        {
            Repetition(logits, options.Repetition, tokens[Math.Max(0, tokens.Length - options.Window)..]);
        }

        if (options.Frequency != 0 || options.Presence != 0)
        {
            Answered(logits, options, tokens[prompt..]);
        }
    }

    private void Repetition(Span<float> logits, float penalty, ReadOnlySpan<int> window)
    {
        foreach (var token in window)
        {
            if (_counts[token]++ == 0)
            {
                logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
            }
        }

        Reset(window);
    }

    private void Answered(Span<float> logits, PenaltyOptions options, ReadOnlySpan<int> answer)
    {
        foreach (var token in answer)
        {
            logits[token] -= options.Frequency + (_counts[token]++ == 0 ? options.Presence : 0);
        }

        Reset(answer);
    }

    private void Reset(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
        {
            _counts[token] = 0;
        }
    }
}
