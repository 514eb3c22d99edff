using Herd.Grains.Conversations;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Conversations;

public sealed class GatewayDrainTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Stopping_NoTurns_EndsAtOnce()
    {
        using var drain = new GatewayDrain(_time);
        drain.TrackTurn().Dispose();

        await drain.StoppingAsync(CancellationToken.None);

        Assert.True(drain.Started.IsCancellationRequested);
    }

    [Fact]
    public async Task Stopping_TurnsRun_WaitsForTheLast()
    {
        using var drain = new GatewayDrain(_time);
        var (one, other) = (drain.TrackTurn(), drain.TrackTurn());

        var stopping = drain.StoppingAsync(CancellationToken.None);
        one.Dispose();
        one.Dispose();
        Assert.False(stopping.IsCompleted);
        other.Dispose();

        await stopping;
    }

    [Fact]
    public async Task Stopping_ATurnDoesNotEnd_EndsAfterTheLimit()
    {
        using var drain = new GatewayDrain(_time);
        using var turn = drain.TrackTurn();

        var stopping = drain.StoppingAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));

        await stopping;
    }
}
