namespace Herd.Grains.Routing;

/// <summary>Chooses the node of a turn. The options select a policy by name.</summary>
internal interface IRoutingPolicy
{
    string Name { get; }

    /// <summary>Chooses among the possible nodes of a table.</summary>
    /// <param name="table">The estimates of the nodes.</param>
    /// <param name="request">The turn to place.</param>
    /// <param name="now">The present time, in seconds of the gateway's clock.</param>
    /// <returns>The node's index in the table; -1 if no node is possible.</returns>
    int Choose(RoutingTable table, RouteRequest request, double now);
}
