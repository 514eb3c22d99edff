namespace Herd.Inference.Generation;

/// <summary>What decides a sequence's place in line.</summary>
/// <param name="Priority">Its class.</param>
/// <param name="Service">Virtual tokens that its tenant was served; see <see cref="Fairness"/>.</param>
/// <param name="Answered">Tokens of its answer so far.</param>
/// <param name="Arrival">Grows from request to request.</param>
/// <param name="Waited">Time since it came or lost its slot.</param>
/// <param name="Stint">Tokens of its answer since it got its slot.</param>
internal readonly record struct Standing(
    Priority Priority, long Service, int Answered, long Arrival, TimeSpan Waited, int Stint)
{
    /// <summary>Whether little of its prompt was to be computed when it got its slot.</summary>
    public bool HasShortPrompt { get; init; }

    /// <summary>Time since it got its slot; zero without one.</summary>
    public TimeSpan Held { get; init; }
}

/// <summary>
/// Who gets a slot, who loses one, and how many tokens of a step each gets. First by class, then the tenant that was served
/// least (virtual token counters: Sheng et al., "Fairness in Serving Large Language Models", 2024), then whoever came first.
/// Who has waited too long goes before all that. One whose answer is longer by a level makes way for one that has just begun
/// (multi-level feedback: Wu et al., "Fast Distributed Inference Serving", 2023), and is the first to get the next free slot.
/// </summary>
internal sealed class SchedulingPolicy(EngineOptions options)
{
    /// <summary>Who is to get a slot first: the lesser.</summary>
    public int Compare(Standing one, Standing other)
    {
        var order = IsOverdue(other).CompareTo(IsOverdue(one));
        if (order == 0 && !IsOverdue(one))
        {
            order = CompareClaims(one, other);
        }

        return order != 0 ? order : one.Arrival.CompareTo(other.Arrival);
    }

    /// <summary>
    /// Whose prompt is computed first: the lesser. Of one tenant's the short ones go before the long ones, which lose a step by each, and
    /// not before one that has waited for that too long.
    /// </summary>
    public int ComparePrompts(Standing one, Standing other)
    {
        var order = CompareClaims(one, other);
        order = order != 0 ? order : MayBePassed(one).CompareTo(MayBePassed(other));
        return order != 0 ? order : one.Arrival.CompareTo(other.Arrival);
    }

    /// <summary>
    /// Whether one that computes makes way for one that waits. A class makes way at once; within a class everybody keeps a slot
    /// for a stint, so that no more is moved than computed.
    /// </summary>
    public bool MakesWay(Standing running, Standing waiting) =>
        waiting.Priority < running.Priority
        || (waiting.Priority == running.Priority && running.Stint >= options.Stint
            && (IsOverdue(waiting)
                || running.Service - waiting.Service > options.FairnessMargin
                || (waiting.Service <= running.Service && Level(waiting) < Level(running))));

    /// <summary>Shares a step's tokens out, in order, until they are used up.</summary>
    /// <param name="wanted">How many each wants; replaced by how many it gets.</param>
    /// <param name="budget">How many there are.</param>
    public static void Allot(Span<int> wanted, int budget)
    {
        foreach (ref var tokens in wanted)
        {
            tokens = Math.Min(tokens, budget);
            budget -= tokens;
        }
    }

    /// <summary>First by class, then the tenant that was served least.</summary>
    private static int CompareClaims(Standing one, Standing other) =>
        one.Priority != other.Priority ? one.Priority.CompareTo(other.Priority) : one.Service.CompareTo(other.Service);

    private bool MayBePassed(Standing standing) => !standing.HasShortPrompt && standing.Held < options.Patience;

    private bool IsOverdue(Standing standing) => standing.Waited >= options.Patience;

    private int Level(Standing standing) =>
        standing.Answered < options.Stint ? 0 : standing.Answered < 4L * options.Stint ? 1 : 2;
}
