using FsCheck.Xunit;
using Herd.Grains.Scaling;

namespace Herd.Grains.Tests.Scaling;

public sealed class ScalePolicyTests
{
    private static readonly ScalingOptions Options = new();
    private static readonly PoolOptions Pool =
        new() { Model = "m", Min = 1, Max = 1000, TargetTtft = TimeSpan.FromSeconds(2), PromptTokens = 100 };

    private static PoolLoad Load(
        int ready,
        int sequences = 0,
        double backlog = 0,
        double forgotten = double.PositiveInfinity,
        int held = 0) => new()
    {
        Ready = ready,
        Slots = ready * 10,
        Sequences = sequences,
        Backlog = backlog,
        PerToken = 0.001,
        ForgottenIdle = forgotten,
        Held = held,
    };

    [Theory]
    [InlineData(2, 16, 2)] // as full as it may be
    [InlineData(2, 17, 3)]
    [InlineData(2, 12, 2)] // one node could, but then it would be full at once
    [InlineData(2, 5, 1)]
    [InlineData(2, 500, 4)] // at most twice as many at once
    [InlineData(20, 161, 23)] // more than what Kubernetes takes for noise
    [InlineData(20, 100, 20)]
    [InlineData(20, 95, 17)]
    public void Wanted_BySequences_IsWhatFitsTheSlots(int ready, int sequences, int wanted) =>
        Assert.Equal(wanted, ScalePolicy.Wanted(Load(ready, sequences), Pool, Options));

    /// <summary>
    /// Of two seconds, a tenth goes to the prompt; what is left has to be enough for the backlog's share.
    /// </summary>
    [Theory]
    [InlineData(2, 3.7, 2)]
    [InlineData(2, 3.9, 3)]
    [InlineData(4, 15, 8)]
    public void Wanted_ByBacklog_KeepsTheTarget(int ready, double backlog, int wanted)
    {
        var load = Load(ready, sequences: ready * 6, backlog);

        Assert.Equal(wanted, ScalePolicy.Wanted(load, Pool, Options));
        Assert.Equal(wanted > ready, load.Ttft(Pool.PromptTokens) > Pool.TargetTtft.TotalSeconds);
    }

    [Fact]
    public void Wanted_SessionsForgottenTooSoon_IsMore()
    {
        Assert.Equal(4, ScalePolicy.Wanted(Load(2, forgotten: 300), Pool, Options));
        Assert.Equal(2, ScalePolicy.Wanted(Load(2, forgotten: 700), Pool, Options));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 3, 1)]
    [InlineData(1, 0, 1)]
    public void Wanted_WithoutNodes_IsOneOnceSomebodyAsks(int min, int held, int wanted) => Assert.Equal(
        wanted, ScalePolicy.Wanted(Load(0, held: held), new PoolOptions { Model = "m", Min = min }, Options));

    /// <summary>
    /// For any load the size is within bounds, more load never needs fewer nodes, and a pool of the wanted size keeps
    /// it.
    /// </summary>
    [Property(MaxTest = 2000)]
    public bool Wanted_AnyLoad_ComesToRest(byte ready, ushort sequences, ushort backlog)
    {
        var load = Load(1 + ready, sequences % 3000, backlog % 500);
        var wanted = ScalePolicy.Wanted(load, Pool, Options);
        var more = ScalePolicy.Wanted(
            load with { Sequences = load.Sequences + 50, Backlog = load.Backlog + 5 }, Pool, Options);
        var sizes = new List<int> { load.Ready };
        for (var i = 0; i < 20; i++)
        {
            sizes.Add(ScalePolicy.Wanted(load with { Ready = sizes[^1], Slots = sizes[^1] * 10 }, Pool, Options));
        }

        var turns = sizes.Zip(sizes.Skip(1), (before, after) => Math.Sign(after - before))
            .Where(direction => direction != 0)
            .Distinct()
            .Count();
        return wanted is >= 1 and <= 1000 && more >= wanted && sizes[^1] == sizes[^2] && turns <= 1;
    }
}
