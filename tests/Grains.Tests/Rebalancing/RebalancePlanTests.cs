using FsCheck.Xunit;
using Herd.Grains.Rebalancing;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Rebalancing;

public sealed class RebalancePlanTests
{
    private static readonly RebalanceOptions Options = new();

    [Fact]
    public void Of_NewNodeComes_FillsIt() =>
        Assert.Equal([new Migration("a", "b", 45)], RebalancePlan.Create([new("a", 8, 100), new("b", 8, 0)], Options));

    [Fact]
    public void Of_WithinTheMargin_MigratesNothing() =>
        Assert.Empty(RebalancePlan.Create([new("a", 8, 60), new("b", 8, 40)], Options));

    [Fact]
    public void Of_TwiceTheCapacity_HasTwiceTheShare() =>
        Assert.Empty(RebalancePlan.Create([new("a", 16, 66), new("b", 8, 34)], Options));

    [Fact]
    public void Of_OneNode_MigratesNothing() => Assert.Empty(RebalancePlan.Create([new("a", 8, 100)], Options));

    [Fact]
    public void Of_OneSessionTooMany_MigratesNothing() =>
        Assert.Empty(RebalancePlan.Create([new("a", 8, 2), new("b", 8, 1)], Options));

    /// <summary>
    /// Whatever the cluster: nobody gives more than it has or below its share, nobody takes above its own, nobody does
    /// both; and when all has migrated there is nothing more to do, so it does not swing back.
    /// </summary>
    [Property(MaxTest = 1000)]
    public bool Of_AnyCluster_EndsInRestWithinTheMargin((byte Capacity, ushort Sessions)[] drawn)
    {
        var nodes = drawn.Select((node, i) => new NodeShare($"n{i}", 1 + (node.Capacity % 16), node.Sessions % 500))
            .ToList();
        var total = nodes.Sum(node => node.Sessions);
        var capacity = nodes.Sum(node => node.Capacity);

        var plan = RebalancePlan.Create(nodes, Options);

        var after = nodes.ConvertAll(node => node with
        {
            Sessions = node.Sessions
                - plan.Where(migration => migration.From == node.Node).Sum(migration => migration.Sessions)
                + plan.Where(migration => migration.To == node.Node).Sum(migration => migration.Sessions),
        });
        return plan.All(migration => migration.Sessions > 0 && migration.From != migration.To)
            && !plan.Any(migration => plan.Any(other => other.To == migration.From))
            && nodes.Zip(after).All(pair => pair.Second.Sessions >= pair.First.Sessions
                ? pair.Second.Sessions == pair.First.Sessions
                    || pair.Second.Sessions <= Math.Ceiling(total * pair.First.Capacity / capacity)
                : pair.Second.Sessions >= total * pair.First.Capacity / capacity)
            && RebalancePlan.Create(after, Options).Count == 0;
    }

    [Fact]
    public void TryTake_MigratedJustNow_RestsAndTheMinuteIsBounded()
    {
        var time = new FakeTimeProvider();
        var budget = new MigrationBudget(
            new RebalanceOptions { MaxMovesPerMinute = 2, Cooldown = TimeSpan.FromMinutes(5) }, time);

        Assert.True(budget.TryTake("a"));
        Assert.False(budget.TryTake("a"));
        Assert.True(budget.TryTake("b"));
        Assert.False(budget.TryTake("c"));

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.False(budget.TryTake("a"));
        Assert.True(budget.TryTake("c"));

        time.Advance(TimeSpan.FromMinutes(4));
        Assert.True(budget.TryTake("a"));
    }

    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        var result = new RebalanceOptionsValidator().Validate(null, new RebalanceOptions
        {
            Interval = -TimeSpan.FromSeconds(1),
            StartThreshold = 1,
            StopThreshold = 2,
            Cooldown = -TimeSpan.FromSeconds(1),
            MaxMovesPerMinute = 0,
        });

        Assert.Equal(5, result.Failures!.Count());
        Assert.True(new RebalanceOptionsValidator().Validate(null, new RebalanceOptions()).Succeeded);
    }
}
