using FsCheck.Xunit;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests;

public sealed class RouterTests
{
    private static readonly HashSet<string> Nothing = [];

    [Fact]
    public void Choose_HomeIsThere_StaysHome()
    {
        Candidate[] nodes = [new("a", 9, 9), new("b", 0, 0)];

        Assert.Equal("a", Router.Choose(nodes, "a", Nothing));
    }

    [Fact]
    public void Choose_HomeIsGone_TakesLeastLoaded()
    {
        Candidate[] nodes = [new("a", 2, 0), new("b", 1, 5), new("c", 1, 4)];

        Assert.Equal("c", Router.Choose(nodes, "gone", Nothing));
    }

    [Fact]
    public void Choose_NobodyLeft_IsNull()
    {
        Assert.Null(Router.Choose([new("a", 0, 0)], "a", new HashSet<string> { "a" }));
    }

    /// <summary>The node chosen takes work, is not excluded, and is the home or one that nobody is better than.</summary>
    [Property]
    public bool Choose_AnyCluster_TakesABest(byte[] loads, byte home, byte excluded)
    {
        var nodes = loads.Select((load, i) => new Candidate($"n{i}", load % 4, load / 4 % 4)).ToList();
        var without = new HashSet<string> { $"n{excluded % 8}" };
        var possible = nodes.Where(node => !without.Contains(node.Node)).ToList();

        var chosen = Router.Choose(nodes, $"n{home % 8}", without);

        return chosen is null
            ? possible.Count == 0
            : chosen == $"n{home % 8}" || possible.Single(node => node.Node == chosen) is var best
                && possible.All(node => node.Load > best.Load || (node.Load == best.Load && node.Sessions >= best.Sessions));
    }

    /// <summary>Conversations that begin one after the other on idle nodes spread evenly.</summary>
    [Fact]
    public void Choose_EightInARow_SpreadsOverTwo()
    {
        var sessions = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0 };
        for (var i = 0; i < 8; i++)
        {
            sessions[Router.Choose([.. sessions.Select(node => new Candidate(node.Key, 0, node.Value))], null, Nothing)!]++;
        }

        Assert.Equal([4, 4], sessions.Values);
    }
}
