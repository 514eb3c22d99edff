namespace Herd.Inference.Generation;

/// <summary>What decides a sequence's place in line.</summary>
/// <param name="Priority">Its class.</param>
/// <param name="Service">Virtual tokens that its tenant was served; see <see cref="Fairness"/>.</param>
/// <param name="Answered">Tokens of its answer so far.</param>
/// <param name="Arrival">Grows from request to request.</param>
/// <param name="Waited">Time since it came or lost its slot.</param>
/// <param name="QuantumUsed">Tokens of its answer since it got its slot.</param>
internal readonly record struct SchedulingKey(
    Priority Priority, long Service, int Answered, long Arrival, TimeSpan Waited, int QuantumUsed)
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
    public int Compare(SchedulingKey one, SchedulingKey other)
    {
        var order = IsStarved(other).CompareTo(IsStarved(one));
        if (order == 0 && !IsStarved(one))
        {
            order = CompareClassAndService(one, other);
        }

        return order != 0 ? order : one.Arrival.CompareTo(other.Arrival);
    }

    /// <summary>
    /// Whose prompt is computed first: the lesser. Of one tenant's the short ones go before the long ones, which lose a step by each, and
    /// not before one that has waited for that too long.
    /// </summary>
    public int ComparePrompts(SchedulingKey one, SchedulingKey other)
    {
        var order = CompareClassAndService(one, other);
        order = order != 0 ? order : MayBeOvertaken(one).CompareTo(MayBeOvertaken(other));
        return order != 0 ? order : one.Arrival.CompareTo(other.Arrival);
    }

    /// <summary>
    /// Whether one that computes makes way for one that waits. A class makes way at once; within a class everybody keeps a slot
    /// for a stint, so that no more is moved than computed.
    /// </summary>
    public bool ShouldPreempt(SchedulingKey running, SchedulingKey waiting) =>
        waiting.Priority < running.Priority
        || (waiting.Priority == running.Priority && running.QuantumUsed >= options.Quantum
            && (IsStarved(waiting)
                || running.Service - waiting.Service > options.FairnessMargin
                || (waiting.Service <= running.Service && Level(waiting) < Level(running))));

    /// <summary>Shares a step's tokens out, in order, until they are used up.</summary>
    /// <param name="wanted">How many each wants; replaced by how many it gets.</param>
    /// <param name="budget">How many there are.</param>
    public static void SplitBudget(Span<int> wanted, int budget)
    {
        foreach (ref var tokens in wanted)
        {
            tokens = Math.Min(tokens, budget);
            budget -= tokens;
        }
    }

    /// <summary>First by class, then the tenant that was served least.</summary>
    private static int CompareClassAndService(SchedulingKey one, SchedulingKey other) =>
        one.Priority != other.Priority ? one.Priority.CompareTo(other.Priority) : one.Service.CompareTo(other.Service);

    private bool MayBeOvertaken(SchedulingKey key) => !key.HasShortPrompt && key.Held < options.StarvationLimit;

    private bool IsStarved(SchedulingKey key) => key.Waited >= options.StarvationLimit;

    private int Level(SchedulingKey key) =>
        key.Answered < options.Quantum ? 0 : key.Answered < 4L * options.Quantum ? 1 : 2;
}
