namespace Herd.Grains.Routing;

/// <summary>Chooses the node of a turn. Policies are known by name, so that they can be compared.</summary>
internal interface IRoutingPolicy
{
    string Name { get; }

    /// <summary>Chooses among the nodes of a table that are possible.</summary>
    /// <param name="table">What is known of them.</param>
    /// <param name="request">What is to be placed.</param>
    /// <param name="now">The present, in seconds of the clock by which they reported.</param>
    /// <returns>The node's place in the table; -1 when none is possible.</returns>
    int Choose(RoutingTable table, RouteRequest request, double now);
}
