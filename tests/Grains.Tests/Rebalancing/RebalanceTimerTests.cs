using System.Threading.Channels;
using Herd.Contracts.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Rebalancing;

public sealed class RebalanceTimerTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>A call that expires is reported as cancelled. A gateway must not stop for that.</summary>
    [Theory]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(TimeoutException))]
    [InlineData(typeof(SiloUnavailableException))]
    public async Task Rebalance_CannotBeReached_IsTriedAgain(Type failure)
    {
        var time = new FakeTimeProvider();
        using var end = new CancellationTokenSource();
        var rebalancer = new Rebalancer((Exception)Activator.CreateInstance(failure)!);
        using var timer = new RebalanceTimer(
            Always.Return<IGrainFactory>(rebalancer),
            Options.Create(new RebalanceOptions { Interval = Interval }),
            time,
            NullLogger<RebalanceTimer>.Instance);

        var running = timer.Run(end.Token);
        for (var call = 1; call <= 3; call++)
        {
            time.Advance(Interval);
            await Task.WhenAny(rebalancer.Called(), running);
        }

        Assert.False(running.IsCompleted);
        end.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private sealed class Rebalancer(Exception failure) : IRebalancerGrain
    {
        private readonly Channel<bool> _calls = Channel.CreateUnbounded<bool>();

        public Task<bool> Called() => _calls.Reader.ReadAsync().AsTask();

        public Task Rebalance()
        {
            _calls.Writer.TryWrite(true);
            return Task.FromException(failure);
        }
    }
}
