using Herd.Grains.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Hosting;

public sealed class WaitingTests
{
    /// <summary>Whoever waits for what is left of its patience does not wait again and again for the rest of a millisecond.</summary>
    [Fact]
    public async Task WaitOrTimeout_LessThanAMillisecond_WaitsUntilTheTimeIsUp()
    {
        var time = new FakeTimeProvider();

        var waiting = new TaskCompletionSource().Task.WaitOrTimeout(TimeSpan.FromTicks(1), time, TestContext.Current.CancellationToken);
        var atOnce = waiting.IsCompleted;
        time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(atOnce);
        await waiting;
    }
}
