using FsCheck.Xunit;
using Herd.Cli.Chaos;

namespace Herd.Cli.Tests.Chaos;

public sealed class HistoryCheckerTests
{
    [Property]
    public bool Check_StoredAsSeen_FindsNothing(byte conversations, byte turns)
    {
        var (seen, stored) = History(1 + (conversations % 4), turns % 6);

        return HistoryChecker.Check(seen, stored, gatewaysStayed: true).Count == 0;
    }

    [Fact]
    public void Check_NotAcknowledgedAndNotStored_FindsNothing()
    {
        var (seen, stored) = History(1, 3);
        seen[2] = seen[2] with { IsAcknowledged = false, Streamed = "half" };

        stored["c0"] = [.. stored["c0"].Take(2)];

        Assert.Empty(HistoryChecker.Check(seen, stored, gatewaysStayed: true));
    }

    /// <summary>
    /// What was read of an answer that its client left is the beginning of the stored one. If its gateway ended, the
    /// end of what was read may be lost.
    /// </summary>
    [Theory]
    [InlineData("answ", true, 0)]
    [InlineData("answers", false, 0)]
    [InlineData("answers", true, 1)]
    [InlineData("anSW", false, 1)]
    public void Check_LeftTurn_IsTheBeginningOfWhatIsStored(string streamed, bool gatewaysStayed, int wrong)
    {
        var (seen, stored) = History(1, 1);
        seen[0] = seen[0] with { IsAcknowledged = false, IsAborted = true, Streamed = streamed, Tokens = 1 };

        Assert.Equal(wrong, HistoryChecker.Check(seen, stored, gatewaysStayed).Count);
    }

    /// <summary>
    /// A turn that could not be stored at once is stored later, unless its gateway ended before.
    /// </summary>
    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void Check_UnsavedTurnWasNeverStored_IsWrongIfItsGatewayStayed(bool gatewaysStayed, int wrong)
    {
        var (seen, stored) = History(1, 3);
        seen[2] = seen[2] with { IsAcknowledged = false, IsUnsaved = true };
        stored["c0"] = [.. stored["c0"].Take(2)];

        Assert.Equal(wrong, HistoryChecker.Check(seen, stored, gatewaysStayed).Count);
    }

    [Theory]
    [InlineData("lost", "was acknowledged and is lost")]
    [InlineData("twice", "is stored 2 times")]
    [InlineData("swapped", "in another order")]
    [InlineData("stranger", "or some that no client sent")]
    [InlineData("repeated", "differ from 6 on")]
    [InlineData("torn", "differ from 2 on")]
    [InlineData("cut", "are stored; they differ from 5 on")]
    [InlineData("incomplete", "is not complete")]
    [InlineData("tokens", "tokens were counted")]
    [InlineData("message", "with another message")]
    [InlineData("failed", "failed: why")]
    [InlineData("gone", "is not stored")]
    public void Check_Damaged_SaysHow(string damage, string says)
    {
        var (seen, stored) = History(2, 3);
        var turns = stored["c0"].ToList();
        switch (damage)
        {
            case "lost":
                turns.RemoveAt(1);
                break;
            case "twice":
                turns.Insert(1, turns[1]);
                break;
            case "swapped":
                turns.Reverse();
                break;
            case "stranger":
                turns.Add(turns[0] with { TurnId = "nobody's" });
                break;
            case "repeated":
                seen[1] = seen[1] with { Streamed = seen[1].Streamed + "r" };
                break;
            case "torn":
                seen[1] = seen[1] with { Streamed = "anSWer" };
                break;
            case "cut":
                seen[1] = seen[1] with { Streamed = "answe" };
                break;
            case "incomplete":
                turns[1] = turns[1] with { IsCompleted = false };
                break;
            case "tokens":
                seen[1] = seen[1] with { Tokens = 9 };
                break;
            case "message":
                turns[1] = turns[1] with { Said = "else" };
                break;
            case "failed":
                seen[1] = seen[1] with { Failure = "why" };
                break;
            default:
                stored.Remove("c0");
                break;
        }

        if (stored.ContainsKey("c0"))
        {
            stored["c0"] = turns;
        }

        Assert.Contains(
            HistoryChecker.Check(seen, stored, gatewaysStayed: true),
            wrong => wrong.StartsWith("c0", StringComparison.Ordinal)
                && wrong.Contains(says, StringComparison.Ordinal));
    }

    private static (List<TurnRecord> Seen, Dictionary<string, IReadOnlyList<StoredTurn>> Stored) History(
        int conversations, int turns)
    {
        var seen = new List<TurnRecord>();
        var stored = new Dictionary<string, IReadOnlyList<StoredTurn>>();
        for (var i = 0; i < conversations; i++)
        {
            var taken = Enumerable.Range(0, turns).Select(turn => new TurnRecord
            {
                Conversation = $"c{i}",
                TurnId = $"t{turn}",
                Said = $"said {turn}",
                Streamed = "answer",
                Tokens = 3,
                IsAcknowledged = true,
            }).ToList();
            seen.AddRange(taken);
            stored[$"c{i}"] = taken.ConvertAll(
                turn => new StoredTurn(turn.TurnId, turn.Said, turn.Streamed, turn.Tokens, true));
        }

        return (seen, stored);
    }
}
