namespace Herd.Grains.Routing.Policies;

/// <summary>One node after the other.</summary>
internal sealed class RoundRobin : IRoutingPolicy
{
    private int _next;

    public string Name => "round-robin";

    public int Choose(RoutingTable table, RouteRequest request, double now)
    {
        for (var i = 0; i < table.Count; i++)
        {
            var place = (_next + i) % table.Count;
            if (table.IsPossible(place, request))
            {
                _next = place + 1;
                return place;
            }
        }

        return -1;
    }
}
