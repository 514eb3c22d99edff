using System.Runtime.InteropServices;

namespace Herd.Inference.Generation;

/// <summary>
/// Proposes draft tokens from earlier text of the conversation (prompt lookup: Saxena, "Prompt Lookup Decoding", 2023).
/// The model verifies several in one step and rejects those that it would not have sampled, so answers do not change. A
/// draft token is proposed if its measured probability of acceptance saves more time than it adds to the step.
/// </summary>
internal sealed class Speculation(StepTimes times, int cells)
{
    private const int MaxDraftTokens = 8;
    private const int PatternTokens = 3;

    /// <summary>Proposes draft tokens to follow the last token of the sequence, at most 8.</summary>
    /// <param name="sequence">A decoding sequence.</param>
    /// <param name="decoding">The number of sequences that the step decodes.</param>
    /// <param name="room">The number of draft tokens that the batch has room for.</param>
    public ReadOnlySpan<int> ProposeDraft(Sequence sequence, int decoding, int room)
    {
        sequence.AcceptanceRate.DecayTowardsPrior();
        var tokens = CollectionsMarshal.AsSpan(sequence.Kv.Tokens);
        var max = Math.Min(Math.Min(room, MaxDraftTokens), cells - tokens.Length);
        var count = WorthwhileDraftTokens(sequence.AcceptanceRate.Value, decoding, max);
        return count > 0 ? Lookup(tokens, count) : [];
    }

    /// <summary>
    /// The tokens, at most <paramref name="max"/>, that followed the last earlier match of the last three.
    /// </summary>
    public static ReadOnlySpan<int> Lookup(ReadOnlySpan<int> tokens, int max)
    {
        if (tokens.Length <= PatternTokens)
        {
            return [];
        }

        var at = tokens[..^1].LastIndexOf(tokens[^PatternTokens..]);
        if (at < 0)
        {
            return [];
        }

        var next = at + PatternTokens;
        return tokens.Slice(next, Math.Min(max, tokens.Length - next));
    }

    /// <summary>
    /// The number of draft tokens that save time. Each is accepted only if those before it are, so the probabilities
    /// multiply.
    /// </summary>
    private int WorthwhileDraftTokens(double rate, int decoding, int max)
    {
        var min = times.DraftTokenSeconds(decoding) * decoding / times.Seconds(decoding);
        var draftTokens = 0;
        for (var probability = rate; draftTokens < max && probability > min; probability *= rate)
        {
            draftTokens++;
        }

        return draftTokens;
    }
}

/// <summary>
/// The recent acceptance rate of a sequence's draft tokens, 0 to 1. It decays to 0.5 without new drafts.
/// </summary>
internal sealed class AcceptanceRate
{
    private const double Prior = 0.5;
    private const double Decay = 0.01;
    private const double Weight = 0.2;

    public double Value { get; private set; } = Prior;

    public void DecayTowardsPrior() => Value += Decay * (Prior - Value);

    public void Record(int accepted, bool rejected)
    {
        for (var i = 0; i < accepted; i++)
        {
            Value += Weight * (1 - Value);
        }

        if (rejected)
        {
            Value -= Weight * Value;
        }
    }
}
