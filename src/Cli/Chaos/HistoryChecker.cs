namespace Herd.Cli.Chaos;

/// <summary>
/// Proves from what clients saw and what is stored that nothing was lost, repeated or torn: one committed answer for each
/// turn, in the order in which its client took them; every acknowledged turn stored; every stream equal to the stored answer.
/// </summary>
internal static class HistoryChecker
{
    /// <param name="seen">What each client saw, in the order in which it took its turns.</param>
    /// <param name="stored">What is stored of a conversation at the end.</param>
    /// <param name="gatewaysStayed">No gateway ended, so what could not be stored at once must have been later.</param>
    /// <returns>What is wrong, in words; nothing when all is well.</returns>
    public static IReadOnlyList<string> Check(
        IReadOnlyList<TurnRecord> seen, IReadOnlyDictionary<string, IReadOnlyList<StoredTurn>> stored, bool gatewaysStayed)
    {
        var wrong = new List<string>();
        foreach (var conversation in seen.GroupBy(turn => turn.Conversation))
        {
            if (!stored.TryGetValue(conversation.Key, out var turns))
            {
                wrong.Add($"{conversation.Key}: is not stored.");
                continue;
            }

            wrong.AddRange(Check([.. conversation.Select(turn => turn with { IsAcknowledged = turn.IsAcknowledged || (gatewaysStayed && turn.IsUnsaved) })], turns).Select(problem => $"{conversation.Key}: {problem}"));
        }

        return wrong;
    }

    private static IEnumerable<string> Check(List<TurnRecord> seen, IReadOnlyList<StoredTurn> stored)
    {
        foreach (var twice in stored.CountBy(turn => turn.TurnId).Where(turn => turn.Value > 1))
        {
            yield return $"turn {twice.Key} is stored {twice.Value} times.";
        }

        var taken = seen.Select(turn => turn.TurnId).ToList();
        if (!stored.Select(turn => turn.TurnId).SequenceEqual(taken.Where(id => stored.Any(turn => turn.TurnId == id))))
        {
            yield return "turns are stored in another order than they were taken in, or some that nobody took.";
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
                yield return $"turn {turn.TurnId}: {turn.Streamed.Length} characters were streamed and {kept.Answer.Length} are stored; they part at {Parting(turn.Streamed, kept.Answer)}.";
            }

            if (turn.IsAcknowledged && kept.Tokens != turn.Tokens)
            {
                yield return $"turn {turn.TurnId}: {turn.Tokens} tokens were counted and {kept.Tokens} are stored.";
            }
        }
    }

    private static int Parting(string one, string other) => one.AsSpan().CommonPrefixLength(other);
}
