namespace Herd.Grains.Routing.Policies;

/// <summary>The node with the fewest turns, of these the one with the fewest sessions, wherever the KV cache is.</summary>
internal sealed class LeastLoaded : IRoutingPolicy
{
    public string Name => "least-loaded";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        var best = -1;
        for (var place = 0; place < table.Count; place++)
        {
            if (table.IsPossible(place, request) && (best < 0 || IsLess(table[place], table[best])))
            {
                best = place;
            }
        }

        return best;
    }

    public static bool IsLess(NodeOutlook one, NodeOutlook other) =>
        one.Load != other.Load ? one.Load < other.Load : one.Sessions < other.Sessions;
}
