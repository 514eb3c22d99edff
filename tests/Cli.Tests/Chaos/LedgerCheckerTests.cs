using Herd.Cli.Chaos;

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

    private static readonly BilledTurn Bill = new("c", "1", 20, 5, IsCompleted: true);

    [Fact]
    public void Check_BilledAsDelivered_FindsNothing() => Assert.Empty(Check([Answered], [Bill]));

    [Theory]
    [InlineData(19, 5, true)]
    [InlineData(20, 6, true)]
    [InlineData(20, 5, false)]
    public void Check_BilledOtherwise_IsFound(int prompt, int completion, bool isCompleted) => Assert.Single(
        Check([Answered], [new BilledTurn("c", "1", prompt, completion, isCompleted)]));

    [Fact]
    public void Check_NotBilledTwiceBilledOrNotSent_IsFound()
    {
        Assert.Single(Check([Answered], []));
        Assert.Single(Check([Answered], [Bill, Bill]));
        Assert.Single(Check([Answered], [Bill, Bill with { TurnId = "2" }]));
    }

    [Fact]
    public void Check_FailedTurn_IsBilledWithWhatWasDeliveredAtLeast()
    {
        var failed = Answered with { IsAcknowledged = false, Failure = "it failed" };

        Assert.Empty(Check([failed], [Bill with { Completion = 7, IsCompleted = false }]));
        Assert.Single(Check([failed], [Bill with { Completion = 4, IsCompleted = false }]));
    }

    /// <summary>Its record was in the memory of a gateway that was killed while the store was away.</summary>
    [Fact]
    public void Check_UnsavedTurn_MustBeBilledIfItsGatewayStayed()
    {
        var unsaved = Answered with { IsAcknowledged = false, IsUnsaved = true };

        Assert.Single(Check([unsaved], []));
        Assert.Empty(LedgerChecker.Check([unsaved], [], gatewaysStayed: false));
    }

    private static IReadOnlyList<string> Check(IReadOnlyList<TurnRecord> seen, IReadOnlyList<BilledTurn> billed) =>
        LedgerChecker.Check(seen, billed, gatewaysStayed: true);
}
