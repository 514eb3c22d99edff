using FsCheck.Xunit;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests.Routing;

public sealed class RoutingTableTests
{
    /// <summary>Whatever comes, goes and changes, the table is what a new one of the same nodes would be.</summary>
    [Property(MaxTest = 300)]
    public bool SetAndRemove_AnyOrder_HoldsWhatWasSetLast(byte[] steps)
    {
        var table = new RoutingTable();
        var expected = new Dictionary<string, NodeEstimate>();
        foreach (var step in steps)
        {
            var name = $"n{step % 5}";
            if (step % 3 == 0)
            {
                table.Remove(name);
                expected.Remove(name);
            }
            else
            {
                var figures = Tables.Figures with { Prefixes = [(ulong)(step % 4) + 1] };
                table.Set(expected[name] = Tables.Node(name, active: step % 7, figures: figures));
            }
        }

        return table.Count == expected.Count
            && expected.All(node => table[table.IndexOf(node.Key)] == node.Value
                && Math.Abs(
                    table.Waits[table.IndexOf(node.Key)] - node.Value.Queue - node.Value.DecodeContention) < 1e-12)
            && Enumerable.Range(1, 4).All(prefix => table.NodesWith((ulong)prefix).Order()
                .SequenceEqual(expected.Values.Where(node => node.Prefixes.Contains((ulong)prefix))
                    .Select(node => node.Node)
                    .Order()));
    }

    [Fact]
    public void IsPossible_Excluded_IsNot()
    {
        var table = new RoutingTable();
        table.Set(Tables.Node("a"));
        var request = new RouteRequest
        {
            Conversation = "c",
            Reason = PlacementReason.Turn,
            Excluded = new HashSet<string> { "a" },
        };

        Assert.False(table.IsPossible(0, request));
    }
}
