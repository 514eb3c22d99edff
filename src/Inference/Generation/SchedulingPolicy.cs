namespace Herd.Inference.Generation;

/// <summary>The values by which sequences are ordered.</summary>
/// <param name="Priority">Its priority class.</param>
/// <param name="Service">Virtual tokens that its tenant was served; see <see cref="Fairness"/>.</param>
/// <param name="Answered">Tokens of its answer so far.</param>
/// <param name="Arrival">A number that grows with each request.</param>
/// <param name="Waited">Time since it arrived or was preempted.</param>
/// <param name="QuantumUsed">Tokens of its answer since it got its slot.</param>
internal readonly record struct SchedulingKey(
    Priority Priority, long Service, int Answered, long Arrival, TimeSpan Waited, int QuantumUsed)
{
    /// <summary>
    /// True if its prompt was short, see <see cref="EngineLoad.ShortPromptTokens"/>, when it got its slot.
    /// </summary>
    public bool HasShortPrompt { get; init; }

    /// <summary>Time since it got its slot; zero without one.</summary>
    public TimeSpan TimeInSlot { get; init; }
}

/// <summary>
/// Orders sequences for slots and prefill, and decides about preemption. The order is: starved sequences, then priority
/// class, then the tenant with minimum service (virtual token counters: Sheng et al., "Fairness in Serving Large
/// Language Models", 2024), then arrival. A sequence that has just begun preempts one whose answer is longer by a level
/// (multi-level feedback queue: Wu et al., "Fast Distributed Inference Serving for Large Language Models", 2023). A
/// preempted sequence keeps its arrival.
/// </summary>
internal sealed class SchedulingPolicy(EngineOptions options)
{
    /// <summary>Compares two sequences by the order in which they get slots.</summary>
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
    /// Compares two sequences by the order in which their prompts are computed. Within a tenant, short prompts go
    /// before long ones, except those that reached the starvation limit. Each short prompt delays a long one by about
    /// one step.
    /// </summary>
    public int ComparePrompts(SchedulingKey one, SchedulingKey other)
    {
        var order = CompareClassAndService(one, other);
        order = order != 0 ? order : MayBeOvertaken(one).CompareTo(MayBeOvertaken(other));
        return order != 0 ? order : one.Arrival.CompareTo(other.Arrival);
    }

    /// <summary>
    /// True if a waiting sequence should preempt a running one. A higher class preempts at once. Within a class a
    /// sequence keeps its slot for at least one quantum, so that moving KV caches does not cost more than computing.
    /// </summary>
    public bool ShouldPreempt(SchedulingKey running, SchedulingKey waiting) =>
        waiting.Priority < running.Priority
        || (waiting.Priority == running.Priority && running.QuantumUsed >= options.Quantum
            && (IsStarved(waiting)
                || running.Service - waiting.Service > options.FairnessMargin
                || (waiting.Service <= running.Service && Level(waiting) < Level(running))));

    /// <summary>Splits the tokens of a step among prompts, in order, until none are left.</summary>
    /// <param name="wanted">The tokens that each prompt needs; replaced by the tokens that it gets.</param>
    /// <param name="budget">The number of tokens to split.</param>
    public static void SplitBudget(Span<int> wanted, int budget)
    {
        foreach (ref var tokens in wanted)
        {
            tokens = Math.Min(tokens, budget);
            budget -= tokens;
        }
    }

    /// <summary>Compares by class, then by the service of the tenant.</summary>
    private static int CompareClassAndService(SchedulingKey one, SchedulingKey other) =>
        one.Priority != other.Priority ? one.Priority.CompareTo(other.Priority) : one.Service.CompareTo(other.Service);

    private bool MayBeOvertaken(SchedulingKey key) => !key.HasShortPrompt && key.TimeInSlot < options.StarvationLimit;

    private bool IsStarved(SchedulingKey key) => key.Waited >= options.StarvationLimit;

    private int Level(SchedulingKey key) =>
        key.Answered < options.Quantum ? 0 : key.Answered < 4L * options.Quantum ? 1 : 2;
}
