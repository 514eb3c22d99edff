namespace Herd.Grains.Rebalancing;

/// <summary>A node's part of the sessions.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Capacity">What it can compute, in any unit that is the same for all.</param>
/// <param name="Sessions">How many sessions it has.</param>
internal readonly record struct NodeShare(string Node, double Capacity, int Sessions);

/// <summary>Sessions to move.</summary>
internal readonly record struct Migration(string From, string To, int Sessions);

/// <summary>
/// Which nodes give sessions to which. A node's share is its part of all capacity. Who has much more than its share gives to who
/// has least of its own, until it is nearly at its share: between beginning and ending lies what keeps it from swinging back.
/// A pure function.
/// </summary>
internal static class RebalancePlan
{
    /// <summary>Fewer sessions too many are not worth moving.</summary>
    private const int LeastExcess = 2;

    private const double Rounding = 1e-6;

    public static IReadOnlyList<Migration> Create(IReadOnlyList<NodeShare> nodes, RebalanceOptions options)
    {
        var capacity = nodes.Sum(node => node.Capacity);
        if (nodes.Count < 2 || capacity <= 0)
        {
            return [];
        }

        double Share(NodeShare node) => nodes.Sum(other => other.Sessions) * node.Capacity / capacity;

        var transfers = new List<Migration>();
        var room = nodes.ToDictionary(node => node.Node, node => (int)Math.Ceiling(Share(node)) - node.Sessions);
        foreach (var giver in nodes.OrderByDescending(node => node.Sessions - Share(node)))
        {
            var share = Share(giver);
            if (giver.Sessions <= share * options.StartThreshold || giver.Sessions - share < LeastExcess)
            {
                continue;
            }

            var excess = giver.Sessions - (int)Math.Ceiling((share * options.StopThreshold) - Rounding);
            foreach (var taker in room.Where(taker => taker.Value > 0).OrderByDescending(taker => taker.Value).ThenBy(taker => taker.Key, StringComparer.Ordinal).ToList())
            {
                var count = Math.Min(excess, taker.Value);
                if (count > 0)
                {
                    transfers.Add(new Migration(giver.Node, taker.Key, count));
                    room[taker.Key] -= count;
                    excess -= count;
                }
            }
        }

        return transfers;
    }
}
