using FsCheck.Xunit;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Herd.Grains.Routing.Policies;

namespace Herd.Grains.Tests.Routing;

public sealed class PolicyTests
{
    public static TheoryData<string> Names => [.. RoutingOptions.Policies(seed: 1).Select(policy => policy.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Choose_AnyClusterByName_IsPossible(string name)
    {
        var policy = new RoutingOptions { Policy = name, Seed = 1 }.ToPolicy();
        for (var seed = 0; seed < 500; seed++)
        {
            var (table, request) = Tables.Draw(seed);

            var chosen = policy.Choose(table, request, now: 0);

            Assert.Equal(
                chosen < 0 ? 0 : 1,
                Enumerable.Range(0, table.Count)
                    .Where(index => table.IsPossible(index, request))
                    .Take(1)
                    .Count(_ => true));
            Assert.True(chosen < 0 || table.IsPossible(chosen, request), $"seed {seed}");
        }
    }

    [Property(MaxTest = 200)]
    public bool StickyHash_OneNodeLeaves_MovesOnlyItsConversations(int seed)
    {
        var table = new RoutingTable();
        for (var i = 0; i < 10; i++)
        {
            table.Set(Tables.Node($"n{i}"));
        }

        var policy = new StickyHash();
        var before = Homes();
        var gone = $"n{Math.Abs(seed % 10)}";
        table.Remove(gone);
        var after = Homes();

        return before.Zip(after).All(pair => pair.First == gone ? pair.Second != gone : pair.First == pair.Second);

        List<string> Homes() => [.. Enumerable.Range(0, 100)
            .Select(i => table[policy.Choose(table, New($"{seed}-{i}"), now: 0)].Node)];
    }

    [Fact]
    public void RoundRobin_NodesAlike_TakesOneAfterTheOther()
    {
        var table = new RoutingTable();
        table.Set(Tables.Node("a"));
        table.Set(Tables.Node("b"));
        var policy = new RoundRobin();

        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(_ => policy.Choose(table, New("c"), now: 0)));
    }

    [Fact]
    public void PowerOfTwo_SameSeed_DrawsTheSame()
    {
        var table = new RoutingTable();
        for (var i = 0; i < 10; i++)
        {
            table.Set(Tables.Node($"n{i}", active: i));
        }

        List<int> Draw()
        {
            var policy = new PowerOfTwo(new Random(3));
            return [.. Enumerable.Range(0, 50).Select(_ => policy.Choose(table, New("c"), now: 0))];
        }

        Assert.Equal(Draw(), Draw());
        Assert.True(Draw().Average() < 4.5);
    }

    [Fact]
    public void Validate_UnknownPolicy_SaysWhichThereAre()
    {
        var result = new RoutingOptionsValidator().Validate(
            null, new RoutingOptions { Policy = "best", ReportTimeout = TimeSpan.Zero });

        Assert.Equal(2, result.Failures!.Count());
        Assert.Contains(
            "predicted-ttft, least-loaded, power-of-two, sticky-hash, round-robin", result.FailureMessage,
            StringComparison.Ordinal);
    }

    private static RouteRequest New(string conversation) =>
        new() { Conversation = conversation, Reason = PlacementReason.Turn, Tokens = 100 };
}
