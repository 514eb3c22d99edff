using Herd.Contracts.Errors;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Turns;

namespace Herd.Grains.Tests.Conversations;

public sealed class TurnQueueTests : IDisposable
{
    private readonly TurnQueue _queue = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _queue.Dispose();

    [Fact]
    public async Task Enter_AnotherRuns_WaitsInOrder()
    {
        var first = await _queue.Enter("1", mayWait: true, Cancellation);
        var second = _queue.Enter("2", mayWait: true, Cancellation);
        var third = _queue.Enter("3", mayWait: true, Cancellation);
        Assert.False(second.IsCompleted || third.IsCompleted);

        first.Dispose();
        (await second).Dispose();
        (await third).Dispose();
    }

    [Fact]
    public async Task Enter_AnotherRunsAndMayNotWait_IsRefused()
    {
        using var first = await _queue.Enter("1", mayWait: true, Cancellation);

        var error = await Assert.ThrowsAsync<HerdException>(() => _queue.Enter("2", mayWait: false, Cancellation));

        Assert.Equal(HerdError.TurnInProgress, error.Error);
    }

    [Fact]
    public async Task Enter_SameTurnRuns_CancelsIt()
    {
        var first = await _queue.Enter("1", mayWait: true, Cancellation);
        var again = _queue.Enter("1", mayWait: false, Cancellation);

        Assert.True(first.Cancellation.IsCancellationRequested);
        first.Dispose();
        using var place = await again;
        Assert.False(place.Cancellation.IsCancellationRequested);
    }

    [Fact]
    public async Task Enter_TooManyWait_IsRefused()
    {
        using var first = await _queue.Enter("1", mayWait: true, Cancellation);
        using var given = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 8).Select(i => _queue.Enter($"w{i}", mayWait: true, given.Token)).ToList();

        await Assert.ThrowsAsync<HerdException>(() => _queue.Enter("late", mayWait: true, Cancellation));

        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
    }
}
