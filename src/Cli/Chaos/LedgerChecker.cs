namespace Herd.Cli.Chaos;

/// <summary>
/// Checks what the ledger billed against what clients received: a completed turn is billed with its prompt and the
/// tokens that were delivered; any other turn is named, with what was computed for it.
/// </summary>
internal static class LedgerChecker
{
    /// <param name="seen">The turns of all clients.</param>
    /// <param name="billed">The turns of their conversations in the ledger.</param>
    /// <param name="gatewaysStayed">
    /// True if no gateway ended, so that the usage of turns that could not be stored at once must be recorded by now.
    /// </param>
    /// <returns>The violations, in words; empty if there are none.</returns>
    public static IReadOnlyList<string> Check(
        IReadOnlyList<TurnRecord> seen, IReadOnlyList<BilledTurn> billed, bool gatewaysStayed)
    {
        var wrong = new List<string>();
        var bills = billed.ToLookup(turn => (turn.Conversation, turn.TurnId));
        foreach (var turn in seen)
        {
            var id = $"{turn.Conversation}: turn {turn.TurnId}";
            var bill = bills[(turn.Conversation, turn.TurnId)].ToList();
            if (bill.Count > 1)
            {
                wrong.Add($"{id} is billed {bill.Count} times.");
            }
            else if (turn.IsAcknowledged || (turn.IsUnsaved && gatewaysStayed))
            {
                wrong.AddRange(Compare(turn, bill.SingleOrDefault()).Select(problem => $"{id}: {problem}"));
            }
            else if ((bill.SingleOrDefault()?.Completion ?? 0) < turn.Tokens && !turn.IsUnsaved && gatewaysStayed)
            {
                wrong.Add($"{id}: {turn.Tokens} tokens were delivered before it failed, and fewer are billed.");
            }
        }

        var sent = seen.Select(turn => (turn.Conversation, turn.TurnId)).ToHashSet();
        wrong.AddRange(billed
            .Where(turn => !sent.Contains((turn.Conversation, turn.TurnId)))
            .Select(turn => $"{turn.Conversation}: turn {turn.TurnId} is billed, and no client sent it."));
        return wrong;
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
}

/// <summary>A turn as the ledger has it.</summary>
/// <param name="Conversation">Its conversation.</param>
/// <param name="TurnId">Its id.</param>
/// <param name="Prompt">Tokens of the prompt.</param>
/// <param name="Completion">Tokens of the answer.</param>
/// <param name="IsCompleted">True if it is billed as completed.</param>
internal sealed record BilledTurn(string Conversation, string TurnId, int Prompt, int Completion, bool IsCompleted);
