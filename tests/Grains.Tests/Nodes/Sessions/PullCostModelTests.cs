using Herd.Grains.Nodes.Sessions;

namespace Herd.Grains.Tests.Nodes.Sessions;

public sealed class PullCostModelTests
{
    /// <summary>Small caches that waited long for a step do not change the measured transfer rate.</summary>
    [Fact]
    public void Record_SmallOnesThatWaited_DoNotMakeALargeOneDear()
    {
        var costs = new PullCostModel();

        for (var i = 0; i < 50; i++)
        {
            costs.Record(1_000_000, transfer: TimeSpan.FromMilliseconds(10), took: TimeSpan.FromMilliseconds(310));
        }

        Assert.Equal(0.3, costs.Wait, precision: 2);
        Assert.Equal(1e8, costs.Rate, 1e6);
        Assert.Equal(1.3, costs.Seconds(100_000_000), precision: 1);
    }
}
