using Herd.Grains.Conversations;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations;

public sealed class GatewayDrainTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Stopping_NoTurns_EndsAtOnce()
    {
        using var handover = new GatewayDrain(_time);
        handover.TrackTurn().Dispose();

        await handover.StoppingAsync(CancellationToken.None);

        Assert.True(handover.Started.IsCancellationRequested);
    }

    [Fact]
    public async Task Stopping_TurnsRun_WaitsForTheLast()
    {
        using var handover = new GatewayDrain(_time);
        var (one, other) = (handover.TrackTurn(), handover.TrackTurn());

        var stopping = handover.StoppingAsync(CancellationToken.None);
        one.Dispose();
        one.Dispose();
        Assert.False(stopping.IsCompleted);
        other.Dispose();

        await stopping;
    }

    [Fact]
    public async Task Stopping_ATurnDoesNotEnd_EndsAfterTheLimit()
    {
        using var handover = new GatewayDrain(_time);
        using var turn = handover.TrackTurn();

        var stopping = handover.StoppingAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));

        await stopping;
    }
}
