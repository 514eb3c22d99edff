using Herd.Cli.Chaos;
using Herd.V1;

namespace Herd.Cli.Tests.Chaos;

public sealed class LedgerCheckerTests
{
    private static readonly TurnRecord Answered = new()
    {
        Conversation = "c",
        TurnId = "1",
        Said = "hi",
        Streamed = "hello",
        Tokens = 5,
        IsAcknowledged = true,
        Warmth = (20, 10),
    };

    private static readonly BilledTurn Bill = new("c", "1", 20, 5, UsageState.Completed);

    private static readonly Dictionary<string, IReadOnlyList<StoredTurn>> NothingStored = [];

    [Fact]
    public void Check_BilledAsDelivered_FindsNothing() => Assert.Empty(Check([Answered], [Bill]));

    [Theory]
    [InlineData(19, 5, UsageState.Completed)]
    [InlineData(20, 6, UsageState.Completed)]
    [InlineData(20, 5, UsageState.Aborted)]
    public void Check_BilledOtherwise_IsFound(int prompt, int completion, UsageState state) => Assert.Single(
        Check([Answered], [new BilledTurn("c", "1", prompt, completion, state)]));

    [Fact]
    public void Check_NotBilledTwiceBilledOrNotSent_IsFound()
    {
        Assert.Single(Check([Answered], []));
        Assert.Single(Check([Answered], [Bill, Bill]));
        Assert.Single(Check([Answered], [Bill, Bill with { TurnId = "2" }]));
    }

    /// <summary>What was computed is billed: more than was delivered, and as much as is stored.</summary>
    [Theory]
    [InlineData(7, UsageState.Aborted, 0)]
    [InlineData(6, UsageState.Aborted, 1)]
    [InlineData(4, UsageState.Aborted, 2)]
    [InlineData(7, UsageState.Running, 0)]
    [InlineData(4, UsageState.Running, 1)]
    public void Check_LeftTurn_IsBilledWithWhatWasComputed(int billed, UsageState state, int wrong)
    {
        var left = Answered with { IsAcknowledged = false, IsAborted = true };
        var stored = new StoredTurn("1", "hi", "hello there", 7, IsCompleted: false);

        Assert.Equal(wrong, LedgerChecker.Check(
            [left],
            new Dictionary<string, IReadOnlyList<StoredTurn>> { ["c"] = [stored] },
            [Bill with { Completion = billed, State = state }],
            gatewaysStayed: true).Count);
    }

    /// <summary>Its gateway was killed, and nobody asked for the turn again.</summary>
    [Fact]
    public void Check_LeftTurnOfALostGateway_MayMissItsLastSecond() => Assert.Empty(LedgerChecker.Check(
        [Answered with { IsAcknowledged = false, IsAborted = true }],
        NothingStored,
        [Bill with { Completion = 4, State = UsageState.Running }],
        gatewaysStayed: false));

    [Theory]
    [InlineData(1, 20, 5, 0)]
    [InlineData(2, 20, 5, 1)]
    [InlineData(1, 21, 5, 1)]
    [InlineData(1, 20, 4, 1)]
    public void CheckSums_SumsAreNotThoseOfTheTurns_IsFound(int turns, int prompt, int completion, int wrong) =>
        Assert.Equal(wrong, LedgerChecker.CheckSums(new UsageTotal(turns, prompt, completion), [Bill]).Count);

    /// <summary>Its record was in the memory of a gateway that was killed while the store was away.</summary>
    [Fact]
    public void Check_UnsavedTurn_MustBeBilledIfItsGatewayStayed()
    {
        var unsaved = Answered with { IsAcknowledged = false, IsUnsaved = true };

        Assert.Single(Check([unsaved], []));
        Assert.Empty(LedgerChecker.Check([unsaved], NothingStored, [], gatewaysStayed: false));
    }

    private static IReadOnlyList<string> Check(IReadOnlyList<TurnRecord> seen, IReadOnlyList<BilledTurn> billed) =>
        LedgerChecker.Check(seen, NothingStored, billed, gatewaysStayed: true);
}
