using Herd.Contracts.Placements;
using Herd.Inference.Generation;

namespace Herd.Grains.Routing;

/// <summary>
/// Foresees the time to a turn's first token on a node: what is queued there, the cheapest way to have the KV cache there,
/// and how crowded decoding is; from the node's own measured rates.
/// </summary>
internal static class TtftPredictor
{
    /// <summary>Until this age, in seconds, a report is as good as new.</summary>
    private const double Fresh = 1;

    /// <summary>What is said of a node counts for less the older it is: costs are taken to be as many times higher.</summary>
    public static double StalenessPenalty(double age) => Math.Max(Fresh, age);

    /// <summary>Seconds to compute so many tokens of a prompt.</summary>
    public static double Prefill(int tokens, double perToken, double perShortPrompt) =>
        tokens <= EngineLoad.ShortPromptTokens ? Math.Min(tokens * perToken, perShortPrompt) : tokens * perToken;

    public static Forecast Predict(RoutingTable table, int index, RouteRequest request, double now)
    {
        var node = table[index];
        var (origin, kv) = Kv(table, node, request);
        var doubt = StalenessPenalty(now - node.ReportedAt);
        return new Forecast(node.Node, node.Queue, origin, kv, node.DecodeContention, doubt, (node.Queue + node.DecodeContention + kv) * doubt);
    }

    /// <summary>Seconds to pull what the home holds and compute the rest; infinite when there is no such home.</summary>
    /// <returns>The tokens to compute, and the bytes to pull.</returns>
    public static (int Tokens, double Bytes) Pulled(RoutingTable table, RouteRequest request) =>
        table.PullsKv && table.IndexOf(request.Home) is >= 0 and var home && table[home].IsReachable && request.Held > 0
            ? (Math.Max(1, request.Tokens - request.Held), request.Held * table[home].BytesPerToken)
            : (request.Tokens, double.PositiveInfinity);

    private static (KvOrigin Origin, double Seconds) Kv(RoutingTable table, NodeEstimate node, RouteRequest request)
    {
        var best = (Origin: KvOrigin.Replay, Seconds: Prefill(request.Tokens, node.PerToken, node.PerShortPrompt));
        if (table.NodesWith(request.Prefix).Contains(node.Node))
        {
            Offer(KvOrigin.Shared, request.PrefixTokens, request.PrefixTokens * node.BytesPerToken * node.PerHostByte);
        }

        if (request.Held > 0 && node.Node == request.Home)
        {
            var (tier, perByte) = Tier(node, request.Idle.TotalSeconds);
            Offer(tier, request.Held, request.Held * node.BytesPerToken * perByte);
        }
        else if (Pulled(table, request) is (_, var bytes and < double.PositiveInfinity))
        {
            Offer(KvOrigin.Pull, request.Held, node.PullWait + (bytes * node.PerPulledByte));
        }

        return best;

        void Offer(KvOrigin origin, int tokens, double seconds)
        {
            seconds += Prefill(Math.Max(1, request.Tokens - tokens), node.PerToken, node.PerShortPrompt);
            if (seconds < best.Seconds)
            {
                best = (origin, seconds);
            }
        }
    }

    private static (KvOrigin Tier, double SecondsPerByte) Tier(NodeEstimate home, double idle) =>
        idle <= home.DeviceIdle ? (KvOrigin.Device, 0)
        : idle <= home.HostIdle ? (KvOrigin.Host, home.PerHostByte)
        : idle <= home.DiskIdle ? (KvOrigin.Disk, home.PerDiskByte)
        : (KvOrigin.Replay, double.PositiveInfinity);
}
