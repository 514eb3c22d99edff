using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests.Routing;

/// <summary>Routing tables and reports of made-up clusters.</summary>
internal static class Tables
{
    /// <summary>
    /// A cluster drawn from a seed: loads, rates, tiers, beginnings and reports of all ages; some nodes take no work.
    /// </summary>
    public static (RoutingTable Table, RouteRequest Request) Draw(int seed, int most = 12)
    {
        var random = new Random(seed);
        var table = new RoutingTable();
        var count = random.Next(most + 1);
        for (var i = 0; i < count; i++)
        {
            table.Set(Node($"n{i}", random));
        }

        var tokens = random.Next(1, 4000);
        return (table, new RouteRequest
        {
            Conversation = $"c{seed}",
            Reason = PlacementReason.Turn,
            Home = random.Next(4) == 0 ? null : $"n{random.Next(most)}",
            Tokens = tokens,
            CachedTokens = random.Next(2) * random.Next(tokens),
            Idle = TimeSpan.FromSeconds(random.Next(100)),
            Prefix = (ulong)random.Next(4),
            PrefixTokens = random.Next(tokens),
            Excluded = random.Next(2) == 0 ? new HashSet<string>() : [$"n{random.Next(most)}", $"n{random.Next(most)}"],
        });
    }

    public static NodeEstimate Node(
        string name,
        int active = 0,
        int queued = 0,
        int prefill = 0,
        double at = 0,
        NodeState state = NodeState.Ready,
        EngineFigures? figures = null) =>
        NodeEstimate.From(
            new NodeReport { Node = name, State = state, ProcessId = 1, Runtime = "" },
            new ServedModel
            {
                Id = "m",
                Description = "",
                ContextTokens = 4096,
                Defaults = new GenerationSettings(),
                Slots = 8,
                Active = active,
                Queued = queued,
                Figures = (figures ?? Figures) with { PrefillTokens = prefill },
            },
            sent: 0,
            at);

    public static NodeReport Report(string node, NodeState state, int active = 0) => new()
    {
        Node = node,
        State = state,
        ProcessId = 1,
        Runtime = "none",
        Models =
        [
            new ServedModel
            {
                Id = "m",
                Description = "",
                ContextTokens = 1,
                Defaults = new GenerationSettings(),
                Slots = 4,
                Active = active,
            },
        ],
    };

    /// <summary>
    /// Prefill 500 tokens a second, decode 100, 100 kB of KV cache a token, all tiers at a gigabyte a second.
    /// </summary>
    public static EngineFigures Figures => new()
    {
        PrefillRate = 500,
        DecodeRate = 100,
        RestoreRate = 1e9,
        DiskRate = 1e9,
        PullRate = 1e9,
        PullWait = 1e-6,
        BytesPerToken = 1e5,
        DeviceIdle = 10,
        HostIdle = 100,
        DiskIdle = 1000,
    };

    private static NodeEstimate Node(string name, Random random) => Node(
        name,
        random.Next(9),
        random.Next(20),
        random.Next(5000),
        at: -random.NextDouble() * 4,
        random.Next(6) == 0 ? NodeState.Draining : random.Next(8) == 0 ? NodeState.Lost : NodeState.Ready,
        Figures with
        {
            PrefillRate = random.Next(1, 2000),
            DecodeRate = random.Next(1, 500),
            PullRate = random.Next(1, 1000) * 1e6,
            PullWait = random.NextDouble(),
            DiskRate = random.Next(1, 1000) * 1e6,
            RestoreRate = random.Next(1, 1000) * 1e6,
            BytesPerToken = random.Next(1, 1000) * 1000,
            DeviceIdle = random.Next(50),
            HostIdle = random.Next(100),
            OffloadedSessions = random.Next(5),
            Prefixes = [.. Enumerable.Range(1, 3).Where(_ => random.Next(2) == 0).Select(prefix => (ulong)prefix)],
        });
}
