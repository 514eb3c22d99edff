namespace Herd.Grains.Routing.Policies;

/// <summary>
/// The node with the fewest turns. Of several such nodes, the one with the fewest sessions. The KV cache does not
/// count.
/// </summary>
internal sealed class LeastLoaded : IRoutingPolicy
{
    public string Name => "least-loaded";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        var best = -1;
        for (var index = 0; index < table.Count; index++)
        {
            if (table.IsPossible(index, request) && (best < 0 || IsLess(table[index], table[best])))
            {
                best = index;
            }
        }

        return best;
    }

    public static bool IsLess(NodeEstimate one, NodeEstimate other) =>
        one.Load != other.Load ? one.Load < other.Load : one.Sessions < other.Sessions;
}
