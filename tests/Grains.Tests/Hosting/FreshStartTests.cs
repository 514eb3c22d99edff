using Herd.Grains.Hosting.Lifetime;

namespace Herd.Grains.Tests.Hosting;

public sealed class FreshStartTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 16)]
    [InlineData(6, 30)]
    [InlineData(5000, 30)]
    public void PauseAfter_EachAttempt_DoublesUpToTheLongest(int attempts, double seconds) =>
        Assert.Equal(seconds, FreshStart.PauseAfter(attempts).TotalSeconds);
}
