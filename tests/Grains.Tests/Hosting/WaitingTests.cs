using Herd.Grains.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Hosting;

public sealed class WaitingTests
{
    /// <summary>A wait for a rest of less than a millisecond does not end too early, and so is not repeated.</summary>
    [Fact]
    public async Task WaitOrTimeout_LessThanAMillisecond_WaitsUntilTheTimeIsUp()
    {
        var time = new FakeTimeProvider();

        var waiting = new TaskCompletionSource().Task.WaitOrTimeout(
            TimeSpan.FromTicks(1), time, TestContext.Current.CancellationToken);
        var atOnce = waiting.IsCompleted;
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(atOnce);
        await waiting;
    }
}
