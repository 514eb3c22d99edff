using System.Runtime.InteropServices;

namespace Herd.Inference.Generation;

/// <summary>
/// Guesses the next tokens of an answer from what was said before (prompt lookup: Saxena, "Prompt Lookup Decoding", 2023):
/// the model checks several in one step, and tokens it would not have chosen itself are dropped, so answers do not change.
/// A guess is made where its measured chance to be right is worth more than what it adds to the step.
/// </summary>
internal sealed class Speculation(StepTimes times, int cells)
{
    private const int MaxDraftTokens = 8;
    private const int PatternTokens = 3;

    /// <summary>What may follow the sequence's last token, which is about to be computed.</summary>
    /// <param name="sequence">A sequence that decodes.</param>
    /// <param name="decoding">How many sequences the step decodes.</param>
    /// <param name="room">How many guesses the batch has room for.</param>
    public ReadOnlySpan<int> ProposeDraft(Sequence sequence, int decoding, int room)
    {
        sequence.AcceptanceRate.DecayTowardsPrior();
        var tokens = CollectionsMarshal.AsSpan(sequence.Kv.Tokens);
        var most = Math.Min(Math.Min(room, MaxDraftTokens), cells - tokens.Length);
        var worth = WorthwhileDraftTokens(sequence.AcceptanceRate.Value, decoding, most);
        return worth > 0 ? Lookup(tokens, worth) : [];
    }

    /// <summary>What followed the last time that the last three tokens came up.</summary>
    public static ReadOnlySpan<int> Lookup(ReadOnlySpan<int> tokens, int most)
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
        return tokens.Slice(next, Math.Min(most, tokens.Length - next));
    }

    /// <summary>How many guesses, each right only after the one before, bring tokens sooner than the step does without them.</summary>
    private int WorthwhileDraftTokens(double chance, int decoding, int most)
    {
        var least = times.DraftTokenSeconds(decoding) * decoding / times.Seconds(decoding);
        var draftTokens = 0;
        for (var right = chance; draftTokens < most && right > least; right *= chance)
        {
            draftTokens++;
        }

        return draftTokens;
    }
}

/// <summary>How often guesses for a sequence were right of late. Without new evidence it drifts back to even.</summary>
internal sealed class AcceptanceRate
{
    private const double Prior = 0.5;
    private const double Decay = 0.01;
    private const double Weight = 0.2;

    public double Value { get; private set; } = Prior;

    public void DecayTowardsPrior() => Value += Decay * (Prior - Value);

    public void Record(int right, bool wrong)
    {
        for (var i = 0; i < right; i++)
        {
            Value += Weight * (1 - Value);
        }

        if (wrong)
        {
            Value -= Weight * Value;
        }
    }
}
