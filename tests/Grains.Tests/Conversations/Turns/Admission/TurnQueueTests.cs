using Herd.Contracts.Errors;
using Herd.Grains.Conversations.Turns.Admission;

namespace Herd.Grains.Tests.Conversations.Turns.Admission;

public sealed class TurnQueueTests : IDisposable
{
    private readonly TurnQueue _queue = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task EnterTurn_AnotherRuns_WaitsInOrder()
    {
        var first = await _queue.EnterTurn("1", mayWait: true, Cancellation);
        var second = _queue.EnterTurn("2", mayWait: true, Cancellation);
        var third = _queue.EnterTurn("3", mayWait: true, Cancellation);
        Assert.False(second.IsCompleted || third.IsCompleted);

        first.Dispose();
        (await second).Dispose();
        (await third).Dispose();
    }

    [Fact]
    public async Task EnterTurn_AnotherRunsAndMayNotWait_IsRefused()
    {
        using var first = await _queue.EnterTurn("1", mayWait: true, Cancellation);

        var error = await Assert.ThrowsAsync<HerdException>(() => _queue.EnterTurn("2", mayWait: false, Cancellation));

        Assert.Equal(HerdError.TurnInProgress, error.Error);
        Assert.Equal(
            "The conversation is answering another turn; calls that wait: 0. Send the request again when it has ended.",
            error.Message);
    }

    [Fact]
    public async Task EnterMigration_AnotherCallRuns_SaysWhich()
    {
        using (await _queue.EnterMigration(Cancellation))
        {
            Assert.Contains("migrates to another node", Refused(), StringComparison.Ordinal);
        }

        using (await _queue.EnterManagement(Cancellation))
        {
            Assert.Contains("is being read or changed by another call", Refused(), StringComparison.Ordinal);
        }

        string Refused() => Assert.Throws<HerdException>(() => { _ = _queue.EnterMigration(Cancellation); }).Message;
    }

    [Fact]
    public async Task EnterTurn_SameTurnRuns_CancelsIt()
    {
        var first = await _queue.EnterTurn("1", mayWait: true, Cancellation);
        var again = _queue.EnterTurn("1", mayWait: false, Cancellation);

        Assert.True(first.Cancellation.IsCancellationRequested);
        first.Dispose();
        using var ticket = await again;
        Assert.False(ticket.Cancellation.IsCancellationRequested);
    }

    [Fact]
    public async Task EnterTurn_TooManyWait_IsRefused()
    {
        using var first = await _queue.EnterTurn("1", mayWait: true, Cancellation);
        using var given = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 8)
            .Select(i => _queue.EnterTurn($"w{i}", mayWait: true, given.Token)).ToList();

        await Assert.ThrowsAsync<HerdException>(() => _queue.EnterTurn("late", mayWait: true, Cancellation));

        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
    }

    [Fact]
    public async Task EnterManagement_ManagementRuns_WaitsWithoutCancellingIt()
    {
        var first = await _queue.EnterManagement(Cancellation);
        var second = _queue.EnterManagement(Cancellation);

        Assert.False(first.Cancellation.IsCancellationRequested || second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
    }

    /// <summary>No id of a turn stands for a management call or a migration, not even an empty one.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(".move")]
    public async Task EnterTurn_ManagementOrMigrationRuns_IsNotTheSameCall(string turn)
    {
        foreach (var enter in new Func<CancellationToken, Task<TurnQueue.Ticket>>[]
        {
            _queue.EnterManagement,
            _queue.EnterMigration,
        })
        {
            using var running = await enter(Cancellation);

            var refused = _queue.EnterTurn(turn, mayWait: false, Cancellation);

            Assert.IsType<HerdException>(refused.Exception?.InnerException);
            Assert.False(running.Cancellation.IsCancellationRequested);
        }
    }

    [Fact]
    public async Task EnterMigration_MigrationRuns_IsRefusedWithoutCancellingIt()
    {
        using var first = await _queue.EnterMigration(Cancellation);

        Assert.Throws<HerdException>(() => { _ = _queue.EnterMigration(Cancellation); });

        Assert.False(first.Cancellation.IsCancellationRequested);
    }

    [Fact]
    public async Task Interrupt_AnotherTurnRuns_WaitsWithoutCancellingIt()
    {
        var turn = await _queue.EnterTurn("1", mayWait: true, Cancellation);
        var interrupt = _queue.Interrupt("2", Cancellation);

        Assert.False(turn.Cancellation.IsCancellationRequested || interrupt.IsCompleted);
        turn.Dispose();
        (await interrupt).Dispose();
    }

    [Fact]
    public async Task Interrupt_MigrationRuns_CancelsIt()
    {
        var migration = await _queue.EnterMigration(Cancellation);
        var interrupt = _queue.Interrupt(Cancellation);

        Assert.True(migration.Cancellation.IsCancellationRequested);
        migration.Dispose();
        (await interrupt).Dispose();
    }

    [Fact]
    public async Task Interrupt_ManagementRuns_WaitsWithoutCancellingIt()
    {
        var management = await _queue.EnterManagement(Cancellation);
        var interrupt = _queue.Interrupt(Cancellation);

        Assert.False(management.Cancellation.IsCancellationRequested);
        management.Dispose();
        (await interrupt).Dispose();
    }
}
