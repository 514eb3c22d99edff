namespace Herd.Cli.Chaos;

/// <summary>
/// Checks the turns that clients saw against the stored ones: one stored answer for each turn, in the order in which
/// its client sent them; every acknowledged turn stored; every stream equal to the stored answer. What a client read
/// of an answer that it left is the beginning of the stored one.
/// </summary>
internal static class HistoryChecker
{
    /// <param name="seen">The turns of each client, in the order in which it sent them.</param>
    /// <param name="stored">Reads the stored turns of a conversation.</param>
    /// <param name="gatewaysStayed">
    /// True if no gateway ended, so that turns that could not be stored at once must be stored by now.
    /// </param>
    /// <returns>The violations, in words; empty if there are none.</returns>
    public static IReadOnlyList<string> Check(
        IReadOnlyList<TurnRecord> seen,
        IReadOnlyDictionary<string, IReadOnlyList<StoredTurn>> stored,
        bool gatewaysStayed)
    {
        var wrong = new List<string>();
        foreach (var conversation in seen.GroupBy(turn => turn.Conversation))
        {
            if (!stored.TryGetValue(conversation.Key, out var turns))
            {
                wrong.Add($"{conversation.Key}: is not stored.");
                continue;
            }

            var acknowledged = conversation.Select(turn =>
                turn with { IsAcknowledged = turn.IsAcknowledged || (gatewaysStayed && turn.IsUnsaved) });
            wrong.AddRange(Check([.. acknowledged], turns, gatewaysStayed)
                .Select(problem => $"{conversation.Key}: {problem}"));
        }

        return wrong;
    }

    private static IEnumerable<string> Check(
        List<TurnRecord> seen, IReadOnlyList<StoredTurn> stored, bool gatewaysStayed)
    {
        foreach (var twice in stored.CountBy(turn => turn.TurnId).Where(turn => turn.Value > 1))
        {
            yield return $"turn {twice.Key} is stored {twice.Value} times.";
        }

        var taken = seen.Select(turn => turn.TurnId).ToList();
        if (!stored.Select(turn => turn.TurnId).SequenceEqual(taken.Where(id => stored.Any(turn => turn.TurnId == id))))
        {
            yield return "turns are stored in another order than they were sent in, or some that no client sent.";
        }

        foreach (var turn in seen)
        {
            var kept = stored.FirstOrDefault(kept => kept.TurnId == turn.TurnId);
            if (turn.Failure is not null)
            {
                yield return $"turn {turn.TurnId} failed: {turn.Failure}";
            }

            if (kept is null)
            {
                if (turn.IsAcknowledged)
                {
                    yield return $"turn {turn.TurnId} was acknowledged and is lost.";
                }

                continue;
            }

            if (kept.Said != turn.Said)
            {
                yield return $"turn {turn.TurnId} is stored with another message.";
            }

            if (turn.IsAcknowledged && !kept.IsCompleted)
            {
                yield return $"turn {turn.TurnId} was acknowledged and is not complete.";
            }

            if (turn.IsAcknowledged && kept.Answer != turn.Streamed)
            {
                yield return $"turn {turn.TurnId}: {turn.Streamed.Length} characters were streamed and "
                    + $"{kept.Answer.Length} are stored; they differ from {Parting(turn.Streamed, kept.Answer)} on.";
            }

            var same = Parting(turn.Streamed, kept.Answer);
            if (turn.IsAborted && (same < kept.Answer.Length || gatewaysStayed) && same < turn.Streamed.Length)
            {
                yield return $"turn {turn.TurnId} was left after {turn.Streamed.Length} characters, and "
                    + $"{kept.Answer.Length} are stored; they differ from {same} on.";
            }

            if (turn.IsAcknowledged && kept.Tokens != turn.Tokens)
            {
                yield return $"turn {turn.TurnId}: {turn.Tokens} tokens were counted and {kept.Tokens} are stored.";
            }
        }
    }

    private static int Parting(string one, string other) => one.AsSpan().CommonPrefixLength(other);
}
