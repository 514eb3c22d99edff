namespace Herd.Grains.Routing.Policies;

/// <summary>One node after another.</summary>
internal sealed class RoundRobin : IRoutingPolicy
{
    private int _next;

    public string Name => "round-robin";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        for (var i = 0; i < table.Count; i++)
        {
            var index = (_next + i) % table.Count;
            if (table.IsPossible(index, request))
            {
                _next = index + 1;
                return index;
            }
        }

        return -1;
    }
}
