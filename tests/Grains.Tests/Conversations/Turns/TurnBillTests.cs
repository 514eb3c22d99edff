using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Accounting.Ledger;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations.Turns;

/// <summary>What turns leave in the ledger, however they end.</summary>
public sealed class TurnBillTests : TurnExecutorScene
{
    [Fact]
    public async Task Run_Completed_IsRecordedBeforeItIsAcknowledged()
    {
        var turn = await Run(New((_, _) => [Prompt(10, 4), Token(1), Token(2), End(2)]));

        Assert.Equal(new Usage(10, 2, 4), turn.Usage);
        AssertRecorded(UsageState.Completed, 10, 4, 2);
    }

    /// <summary>The other node computes the prompt again, which is no fault of the tenant's.</summary>
    [Fact]
    public async Task Run_NodeFails_CountsEachTokenOnce()
    {
        var turn = await Run(New((node, request) => request.Produced.Count == 0
            ? [Prompt(10, 4), Token(1), Token(2), new HerdException(HerdError.Unavailable, "killed")]
            : [Prompt(10, 0), Token(3), End(3)]));

        Assert.Equal(new Usage(10, 3, 4), turn.Usage);
        AssertRecorded(UsageState.Completed, 10, 4, 3);
    }

    [Fact]
    public async Task Run_CallerLeavesAndComesBack_CountsEachTokenOnce()
    {
        var left = await Run(New((_, _) => Leave([Prompt(10, 0), Token(1), Token(2), Token(3), End(3)])));
        AssertRecorded(UsageState.Aborted, 10, 0, left.Answer.Tokens.Count);

        await Run(New((_, _) => [Prompt(10, 10), Token(3), End(3)]), left, CancellationToken.None);

        AssertRecorded(UsageState.Completed, 10, 0, 3);
        Assert.Equal(left.Usage, Ledger.Latest[0].Before);
    }

    [Fact]
    public async Task Run_CallerLeavesBeforeTheFirstToken_CountsThePrompt()
    {
        await Run(New((_, _) => Leave([Prompt(10, 4), Token(3), End(1)])));

        AssertRecorded(UsageState.Aborted, 10, 4, 0);
    }

    [Fact]
    public async Task Run_Fails_CountsWhatWasComputed()
    {
        await Assert.ThrowsAsync<HerdException>(() => Run(New((_, _) =>
            [Prompt(10, 4), Token(1), new HerdException(HerdError.Internal, "broken")])));

        AssertRecorded(UsageState.Failed, 10, 4, 1);
    }

    [Fact]
    public async Task Run_NothingComputed_IsNotRecorded()
    {
        await Assert.ThrowsAsync<HerdException>(() =>
            Run(New((_, _) => [new HerdException(HerdError.ContextOverflow, "too long")])));

        Assert.Empty(Ledger.Writes);
    }

    private void AssertRecorded(UsageState state, int prompt, int cached, int completion)
    {
        var record = Assert.Single(Ledger.Latest);
        Assert.Equal(
            ("t", "c/1", "key", "m", new DateOnly(1970, 1, 1)),
            (record.Tenant, record.Turn, record.Key, record.Model, record.Day));
        Assert.Equal((state, new Usage(prompt, completion, cached)), (record.State, record.Usage));
    }

    /// <summary>The caller leaves before token 3.</summary>
    private IEnumerable<object> Leave(object[] steps)
    {
        foreach (var step in steps)
        {
            if (step is GenerationEvent { Tokens: [3] })
            {
                Caller.Cancel();
            }

            yield return step;
        }
    }

    private static GenerationEvent Prompt(int tokens, int cached) =>
        new([], "", null) { Prompt = new Usage(tokens, 0, cached) };
}
