using Herd.Grains.Conversations;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations;

public sealed class HandoverTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Stopping_NobodyIsAnswered_EndsAtOnce()
    {
        using var handover = new Handover(_time);
        handover.Enter().Dispose();

        await handover.StoppingAsync(CancellationToken.None);

        Assert.True(handover.Begun.IsCancellationRequested);
    }

    [Fact]
    public async Task Stopping_TurnsAreAnswered_WaitsForTheLast()
    {
        using var handover = new Handover(_time);
        var (one, other) = (handover.Enter(), handover.Enter());

        var stopping = handover.StoppingAsync(CancellationToken.None);
        one.Dispose();
        one.Dispose();
        Assert.False(stopping.IsCompleted);
        other.Dispose();

        await stopping;
    }

    [Fact]
    public async Task Stopping_ATurnDoesNotEnd_GoesOnAfterAWhile()
    {
        using var handover = new Handover(_time);
        using var turn = handover.Enter();

        var stopping = handover.StoppingAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));

        await stopping;
    }
}
