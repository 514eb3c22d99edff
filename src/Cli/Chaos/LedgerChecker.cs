using Herd.V1;

namespace Herd.Cli.Chaos;

/// <summary>
/// Checks what the ledger billed against what clients received: a completed turn is billed with its prompt and the
/// tokens that were delivered; any other turn with what was computed for it, which is what is stored of it. The sums of
/// the ledger are those of its turns.
/// </summary>
internal static class LedgerChecker
{
    /// <param name="seen">The turns of all clients.</param>
    /// <param name="stored">Their conversations in the store.</param>
    /// <param name="billed">The turns of their conversations in the ledger.</param>
    /// <param name="gatewaysStayed">
    /// True if no gateway ended, so that the usage of turns that could not be stored at once must be recorded by now.
    /// </param>
    /// <returns>The violations, in words; empty if there are none.</returns>
    public static IReadOnlyList<string> Check(
        IReadOnlyList<TurnRecord> seen,
        IReadOnlyDictionary<string, IReadOnlyList<StoredTurn>> stored,
        IReadOnlyList<BilledTurn> billed,
        bool gatewaysStayed)
    {
        var wrong = new List<string>();
        var bills = billed.ToLookup(turn => (turn.Conversation, turn.TurnId));
        foreach (var turn in seen)
        {
            var bill = bills[(turn.Conversation, turn.TurnId)].ToList();
            var kept = stored.GetValueOrDefault(turn.Conversation)?.FirstOrDefault(kept => kept.TurnId == turn.TurnId);
            var problems = bill.Count > 1 ? [$"it is billed {bill.Count} times."]
                : turn.IsAcknowledged || (turn.IsUnsaved && gatewaysStayed) ? Compare(turn, bill.SingleOrDefault())
                : CompareUnfinished(turn, kept, bill.SingleOrDefault(), gatewaysStayed);
            wrong.AddRange(problems.Select(problem => $"{turn.Conversation}: turn {turn.TurnId}: {problem}"));
        }

        var sent = seen.Select(turn => (turn.Conversation, turn.TurnId)).ToHashSet();
        wrong.AddRange(billed
            .Where(turn => !sent.Contains((turn.Conversation, turn.TurnId)))
            .Select(turn => $"{turn.Conversation}: turn {turn.TurnId} is billed, and no client sent it."));
        return wrong;
    }

    /// <summary>Checks that the sums rose by what the turns add up to.</summary>
    /// <param name="rise">The sums of the tenant after the run less those before.</param>
    /// <param name="billed">The turns of the run. No one else used the tenant.</param>
    public static IReadOnlyList<string> CheckSums(UsageTotal rise, IReadOnlyList<BilledTurn> billed)
    {
        var turns = new UsageTotal(
            billed.Count, billed.Sum(turn => (long)turn.Prompt), billed.Sum(turn => (long)turn.Completion));
        return turns == rise
            ? []
            : [$"the ledger's sums rose by {rise}, and its turns add up to {turns}. Did others use the tenant?"];
    }

    private static IEnumerable<string> Compare(TurnRecord turn, BilledTurn? bill)
    {
        if (bill is null)
        {
            yield return "it was answered and is not billed.";
        }
        else if (!bill.IsCompleted)
        {
            yield return "it was answered and is not billed as completed.";
        }
        else if ((bill.Prompt, bill.Completion) != (turn.Warmth.Prompt, turn.Tokens))
        {
            yield return $"a prompt of {turn.Warmth.Prompt} and {turn.Tokens} tokens were delivered, "
                + $"and {bill.Prompt} and {bill.Completion} are billed.";
        }
    }

    /// <summary>A turn that stays running was lost with its gateway: its last second may not be billed.</summary>
    private static IEnumerable<string> CompareUnfinished(
        TurnRecord turn, StoredTurn? kept, BilledTurn? bill, bool gatewaysStayed)
    {
        var isClosed = bill is { State: not UsageState.Running };
        var billed = bill?.Completion ?? 0;
        if (billed < turn.Tokens && turn.Restarts == 0 && (isClosed || gatewaysStayed))
        {
            yield return $"{turn.Tokens} tokens were delivered before it ended, and {billed} are billed.";
        }

        if (isClosed && kept is not null && kept.Tokens != billed && turn.Restarts == 0)
        {
            yield return $"{kept.Tokens} tokens of its answer are stored, and {billed} are billed.";
        }
    }
}

/// <summary>A turn as the ledger has it.</summary>
/// <param name="Conversation">Its conversation.</param>
/// <param name="TurnId">Its id.</param>
/// <param name="Prompt">Tokens of the prompt.</param>
/// <param name="Completion">Tokens of the answer.</param>
/// <param name="State">Its state.</param>
internal sealed record BilledTurn(string Conversation, string TurnId, int Prompt, int Completion, UsageState State)
{
    /// <summary>True if it is billed as completed.</summary>
    public bool IsCompleted => State == UsageState.Completed;
}

/// <summary>The usage of a tenant.</summary>
/// <param name="Turns">The number of turns.</param>
/// <param name="Prompt">Tokens of their prompts.</param>
/// <param name="Completion">Tokens of their answers.</param>
internal readonly record struct UsageTotal(long Turns, long Prompt, long Completion)
{
    public static UsageTotal operator -(UsageTotal after, UsageTotal before) => new(
        after.Turns - before.Turns, after.Prompt - before.Prompt, after.Completion - before.Completion);

    public override string ToString() => $"{Turns} turns of {Prompt} and {Completion} tokens";
}
