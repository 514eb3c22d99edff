using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Tests.Conversations.Turns;
using Herd.Testing;
using static Herd.Grains.Tests.Conversations.FakeNodes;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

/// <summary>Turns that fail what computes them, and turns that lose two nodes by chance.</summary>
public sealed class PoisonTurnsTests : TurnExecutorScene
{
    private static readonly SiloUnavailableException Killed = new("killed");

    private readonly PatientTime _time;

    public PoisonTurnsTests()
        : this(new PatientTime())
    {
    }

    private PoisonTurnsTests(PatientTime time)
        : base(time)
    {
        _time = time;
        Registry.Update(Report("c"));
    }

    private IEnumerable<string> Tried { get; set; } = [];

    [Fact]
    public async Task Answer_FailsTwoNodes_IsTakenToNoThirdAndRefused()
    {
        var error = await Fails(New((_, _) => [Killed]));

        Assert.Equal(HerdError.PoisonTurn, error.Error);
        Assert.Equal(["a", "b"], Tried);
        Assert.Equal(TurnState.Failed, Stored.State);
        Assert.Equal(TimeSpan.FromMinutes(10), error.Retry);
        Assert.Equal(NodeState.Ready, Registry.Find("c")!.State);

        // The same content, as another turn.
        error = await Fails(New((_, _) => [End(0)]), Turn() with { Id = "2" });
        Assert.Equal((HerdError.PoisonTurn, 0), (error.Error, Tried.Count()));

        // Other content.
        var other = Turn() with { Id = "3", Input = [new Message(Role.User, "something else")] };
        Assert.Equal(TurnState.Completed, (await RunAnew(New((_, _) => [End(0)]), other)).State);

        // The same content later.
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(TurnState.Completed, (await RunAnew(New((_, _) => [End(0)]), Turn())).State);
    }

    [Fact]
    public async Task Answer_FailsTwoNodes_IsLoggedWithoutItsContent()
    {
        await Fails(New((_, _) => [Killed]));

        Assert.Equal([511, 512], PoisonLog.Lines.Select(line => line.Id));
        Assert.All(PoisonLog.Lines, line =>
        {
            Assert.Contains("turn 1 of conversation c failed the nodes a, b", line.Text.Replace(" is poison: it", ""));
            Assert.Contains(Assert.Single(PoisonStore.Contents).Key, line.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("hello", line.Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Answer_LosesTwoNodesByChance_CompletesOnOneThatComesBack()
    {
        var nodes = New((_, request) => request.Produced.Count is < 2 and var count
            ? [Token(count + 1), Killed]
            : [End(2)]);
        ComesBack("b", after: TimeSpan.FromSeconds(20));

        var turn = await Run(nodes);

        Assert.Equal((TurnState.Completed, "1 2 ", "b"), (turn.State, turn.Answer.Text, turn.Node));
        Assert.Equal(["a", "b", "b"], nodes.Nodes.Calls.Select(call => call.Node));
        Assert.Empty(PoisonStore.Contents);
        Assert.Empty(PoisonStore.Trials);
    }

    [Fact]
    public async Task Answer_FailsItsTrials_IsPoison()
    {
        ComesBack("a", after: TimeSpan.Zero);

        var error = await Fails(New((_, _) => [Killed]));

        Assert.Equal(HerdError.PoisonTurn, error.Error);
        Assert.Equal(["a", "b", "a", "a"], Tried);
        Assert.Empty(PoisonStore.Trials);
    }

    /// <summary>A gateway that lost the cluster cannot tell whether the turn is at fault.</summary>
    [Fact]
    public async Task Answer_NoNodeIsLeft_IsNotJudged()
    {
        Registry.Remove("c");

        var error = await Fails(New((_, _) => [Killed]));

        Assert.Equal(HerdError.Unavailable, error.Error);
        Assert.Equal(["a", "b"], Tried);
        Assert.False(Assert.Single(PoisonStore.Contents).Value.IsPoison);
    }

    [Fact]
    public async Task Answer_GrewBetweenTheFailures_GoesOnAtAThirdNode()
    {
        var nodes = New((node, _) => node switch
        {
            "a" => [Killed],
            "b" => [.. Enumerable.Range(1, Suspicion.MinProgress).Select(Token), Killed],
            _ => [End(Suspicion.MinProgress)],
        });

        Assert.Equal("c", (await Run(nodes)).Node);
        Assert.Equal(["a", "b", "c"], nodes.Nodes.Calls.Select(call => call.Node));
    }

    /// <summary>The node is full, or stops. It lives.</summary>
    [Fact]
    public async Task Answer_TwoNodesRefuseIt_GoesOnAtAThird()
    {
        var refusal = new HerdException(HerdError.Unavailable, "stops");
        var nodes = New((node, _) => node == "c" ? [End(0)] : [refusal]);

        Assert.Equal("c", (await Run(nodes)).Node);
        Assert.Empty(PoisonStore.Contents);
    }

    [Fact]
    public async Task Answer_NodeDrainsAndAnotherFails_GoesOnAtAThird()
    {
        var nodes = New((node, _) =>
        {
            if (node == "a")
            {
                Registry.Update(Report("a") with { State = NodeState.Draining });
                return [Hang];
            }

            return node == "b" ? [Killed] : [End(0)];
        });

        Assert.Equal("c", (await Run(nodes)).Node);
        Assert.Equal(["a", "b", "c"], nodes.Nodes.Calls.Select(call => call.Node));
    }

    /// <summary>Elsewhere it would be taken to a third node.</summary>
    [Fact]
    public async Task Answer_NodeOfItsTrialDrains_FinishesThere()
    {
        var drains = new TaskCompletionSource();
        var attempts = 0;
        var nodes = New((_, _) => ++attempts <= 2 ? [Killed] : [drains.Task, End(0)]);
        ComesBack("a", after: TimeSpan.Zero);
        var running = Run(nodes);
        while (attempts < 3)
        {
            await Task.Yield();
        }

        Registry.Update(Report("a") with { State = NodeState.Draining });
        drains.SetResult();

        Assert.Equal((TurnState.Completed, "a"), ((await running).State, (await running).Node));
    }

    /// <summary>Otherwise each of two suspects on a node would fail with the other.</summary>
    [Fact]
    public async Task Answer_AnotherSuspectIsOnTrial_WaitsUntilThatEnds()
    {
        Assert.True(await Register.TryReserve("a", "another"));
        var (attempts, waits) = (0, 0);
        ComesBack("a", after: TimeSpan.Zero);
        _time.OnWait += _ =>
        {
            if (++waits == 200)
            {
                Register.EndReservation("a", "another").Ignore();
            }
        };

        var turn = await Run(New((_, _) => ++attempts <= 2 ? [Killed] : [End(0)]));

        Assert.Equal(("a", true), (turn.Node, waits >= 200));
    }

    /// <summary>The gateway was lost between the failures: what it knew is in the store.</summary>
    [Fact]
    public async Task Answer_FailsOneNodeAtEachOfTwoGateways_IsTakenToNoThird()
    {
        using var cancelled = new CancellationTokenSource();
        var attempts = 0;
        var running = Run(New((_, _) => ++attempts == 1 ? [Killed] : [Hang]), cancellation: cancelled.Token);
        while (attempts < 2)
        {
            await Task.Yield();
        }

        await cancelled.CancelAsync();
        await running;
        Registry.MarkLost("b");
        Registry.Update(Report("d"));

        var error = await Fails(New((_, _) => [Killed]), Turn());

        Assert.Equal(HerdError.PoisonTurn, error.Error);
        Assert.Single(Tried);
    }

    /// <summary>Reports that a node is ready, whenever a turn waits.</summary>
    private void ComesBack(string node, TimeSpan after)
    {
        var begun = _time.GetUtcNow();
        _time.OnWait += _ =>
        {
            if (_time.GetUtcNow() - begun >= after)
            {
                Registry.Update(Report(node));
            }
        };
    }

    private async Task<HerdException> Fails((IGrainFactory Grains, FakeNodes Nodes) nodes, Turn? turn = null)
    {
        var error = await Assert.ThrowsAsync<HerdException>(() => RunAnew(nodes, turn ?? Turn()));
        Tried = nodes.Nodes.Calls.Select(call => call.Node);
        return error;
    }

    /// <summary>Runs the turn as the only one of its conversation.</summary>
    private Task<Turn> RunAnew((IGrainFactory Grains, FakeNodes Nodes) nodes, Turn turn)
    {
        Store.Stored = new StoredConversation(
            new Conversation { Id = "c", Created = DateTimeOffset.UnixEpoch, Turns = [turn] }, 1);
        return Run(nodes, turn);
    }
}
