using Herd.Contracts.Placements;
using Herd.Inference.Generation;

namespace Herd.Grains.Routing;

/// <summary>
/// Predicts the time to a turn's first token on a node by the node's measured rates. It is the sum of the queue, the
/// cheapest way to get the KV cache there, and the decode contention.
/// </summary>
internal static class TtftPredictor
{
    /// <summary>The age in seconds up to which a report has no staleness penalty.</summary>
    private const double Fresh = 1;

    /// <summary>The factor of costs from an old report: its age in seconds, at least 1.</summary>
    public static double StalenessPenalty(double age) => Math.Max(Fresh, age);

    /// <summary>Predicted seconds to compute tokens of a prompt.</summary>
    public static double Prefill(int tokens, double perToken, double perShortPrompt) =>
        tokens <= EngineLoad.ShortPromptTokens ? Math.Min(tokens * perToken, perShortPrompt) : tokens * perToken;

    public static TtftEstimate Predict(RoutingTable table, int index, RouteRequest request, double now)
    {
        var node = table[index];
        var (origin, kv, transfer, tokens) = Kv(table, node, request);
        var penalty = StalenessPenalty(now - node.ReportedAt);
        var total = (node.Queue + node.DecodeContention + kv) * penalty;
        return new TtftEstimate(node.Node, node.Queue, origin, kv, node.DecodeContention, penalty, total)
        {
            FirstToken = transfer + node.Backlog?.Seconds(new(request.Tenant, request.Priority, tokens), now),
            Tokens = tokens,
        };
    }

    /// <summary>The work of a turn that pulls the KV cache from its home.</summary>
    /// <returns>
    /// The tokens to compute, and the bytes to pull; infinite bytes if there is no home to pull from.
    /// </returns>
    public static (int Tokens, double Bytes) Pulled(RoutingTable table, RouteRequest request) =>
        table.PullsKv && table.IndexOf(request.Home) is >= 0 and var home
        && table[home].IsReachable && request.CachedTokens > 0
            ? (Math.Max(1, request.Tokens - request.CachedTokens), request.CachedTokens * table[home].BytesPerToken)
            : (request.Tokens, double.PositiveInfinity);

    private static (KvOrigin Origin, double Seconds, double Transfer, int Tokens) Kv(
        RoutingTable table, NodeEstimate node, RouteRequest request)
    {
        var replay = Prefill(request.Tokens, node.PerToken, node.PerShortPrompt);
        var best = (Origin: KvOrigin.Replay, Seconds: replay, Transfer: 0.0, request.Tokens);
        if (table.NodesWith(request.Prefix).Contains(node.Node))
        {
            Offer(KvOrigin.Shared, request.PrefixTokens, request.PrefixTokens * node.BytesPerToken * node.PerHostByte);
        }

        if (request.CachedTokens > 0 && node.Node == request.Home)
        {
            var (tier, perByte) = Tier(node, request.Idle.TotalSeconds);
            Offer(tier, request.CachedTokens, request.CachedTokens * node.BytesPerToken * perByte);
        }
        else if (Pulled(table, request) is (_, var bytes and < double.PositiveInfinity))
        {
            Offer(KvOrigin.Pull, request.CachedTokens, node.PullWait + (bytes * node.PerPulledByte));
        }

        return best;

        void Offer(KvOrigin origin, int cached, double transfer)
        {
            var tokens = Math.Max(1, request.Tokens - cached);
            var seconds = transfer + Prefill(tokens, node.PerToken, node.PerShortPrompt);
            if (seconds < best.Seconds)
            {
                best = (origin, seconds, transfer, tokens);
            }
        }
    }

    private static (KvOrigin Tier, double SecondsPerByte) Tier(NodeEstimate home, double idle) =>
        idle <= home.DeviceIdle ? (KvOrigin.Device, 0)
        : idle <= home.HostIdle ? (KvOrigin.Host, home.PerHostByte)
        : idle <= home.DiskIdle ? (KvOrigin.Disk, home.PerDiskByte)
        : (KvOrigin.Replay, double.PositiveInfinity);
}
