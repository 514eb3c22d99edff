namespace Herd.Grains.Routing.Policies;

/// <summary>
/// The less loaded of two random nodes (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
/// </summary>
internal sealed class PowerOfTwo(Random random) : IRoutingPolicy
{
    public string Name => "power-of-two";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        var (one, other) = (Draw(table, request), Draw(table, request));
        return one < 0 || LeastLoaded.IsLess(table[one], table[other]) ? one : other;
    }

    /// <summary>The first possible node from a random index on.</summary>
    private int Draw(RoutingTable table, RouteRequest request)
    {
        for (int i = 0, from = table.Count == 0 ? 0 : random.Next(table.Count); i < table.Count; i++)
        {
            var index = (from + i) % table.Count;
            if (table.IsPossible(index, request))
            {
                return index;
            }
        }

        return -1;
    }
}
