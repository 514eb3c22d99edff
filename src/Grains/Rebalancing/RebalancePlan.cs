namespace Herd.Grains.Rebalancing;

/// <summary>A node's capacity and sessions.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="Capacity">The node's capacity, in any unit that is the same for all nodes.</param>
/// <param name="Sessions">The number of its sessions.</param>
internal readonly record struct NodeShare(string Node, double Capacity, int Sessions);

/// <summary>A number of sessions to migrate from one node to another.</summary>
internal readonly record struct Migration(string From, string To, int Sessions);

/// <summary>
/// Plans the migrations of sessions. A node's share is its part of the capacity. A node with more sessions than the
/// start threshold gives some to the nodes that are furthest below their shares, until it is at the stop threshold. The
/// distance of the two thresholds keeps sessions from migrating back. A pure function.
/// </summary>
internal static class RebalancePlan
{
    /// <summary>The minimum number of surplus sessions that is worth a migration.</summary>
    private const int MinExcess = 2;

    private const double Rounding = 1e-6;

    public static IReadOnlyList<Migration> Create(IReadOnlyList<NodeShare> nodes, RebalanceOptions options)
    {
        var capacity = nodes.Sum(node => node.Capacity);
        if (nodes.Count < 2 || capacity <= 0)
        {
            return [];
        }

        double Share(NodeShare node) => nodes.Sum(other => other.Sessions) * node.Capacity / capacity;

        var migrations = new List<Migration>();
        var room = nodes.ToDictionary(node => node.Node, node => (int)Math.Ceiling(Share(node)) - node.Sessions);
        foreach (var giver in nodes.OrderByDescending(node => node.Sessions - Share(node)))
        {
            var share = Share(giver);
            if (giver.Sessions <= share * options.StartThreshold || giver.Sessions - share < MinExcess)
            {
                continue;
            }

            var excess = giver.Sessions - (int)Math.Ceiling((share * options.StopThreshold) - Rounding);
            var takers = room.Where(taker => taker.Value > 0)
                .OrderByDescending(taker => taker.Value)
                .ThenBy(taker => taker.Key, StringComparer.Ordinal)
                .ToList();
            foreach (var taker in takers)
            {
                var count = Math.Min(excess, taker.Value);
                if (count > 0)
                {
                    migrations.Add(new Migration(giver.Node, taker.Key, count));
                    room[taker.Key] -= count;
                    excess -= count;
                }
            }
        }

        return migrations;
    }
}
