using BenchmarkDotNet.Attributes;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;

namespace Herd.Micro;

/// <summary>One routing decision among nodes with various loads, for conversations with homes on all of them.</summary>
[MemoryDiagnoser]
public class RouteBenchmark
{
    private const string Model = "m";
    private const int Decisions = 1000;

    private Router _router = null!;
    private RouteRequest[] _requests = [];

    [Params(10, 1000)]
    public int Nodes { get; set; }

    [Params("predicted-ttft", "least-loaded", "power-of-two", "sticky-hash", "round-robin")]
    public string Policy { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var registry = new NodeRegistry(Pools.None, TimeProvider.System);
        _router = new Router(registry, Options.Create(new RoutingOptions { Policy = Policy }), TimeProvider.System);
        for (var i = 0; i < Nodes; i++)
        {
            registry.Update(Report($"node-{i}", random));
        }

        _requests = [.. Enumerable.Range(0, Decisions).Select(i => new RouteRequest
        {
            Conversation = $"conversation-{i}",
            Reason = PlacementReason.Turn,
            Home = i % 10 == 0 ? null : $"node-{random.Next(Nodes)}",
            Tokens = 1000,
            CachedTokens = i % 10 == 0 ? 0 : 900,
            Prefix = (ulong)random.Next(10) + 1,
            PrefixTokens = 100,
        })];
    }

    [Benchmark(OperationsPerInvoke = Decisions)]
    public int Route()
    {
        var moved = 0;
        foreach (var request in _requests)
        {
            moved += _router.Route(Model, request)!.Node == request.Home ? 0 : 1;
        }

        return moved;
    }

    private static NodeReport Report(string node, Random random) => new()
    {
        Node = node,
        State = NodeState.Ready,
        ProcessId = 1,
        Runtime = "",
        Models =
        [
            new ServedModel
            {
                Id = Model,
                Description = "",
                ContextTokens = 4096,
                Defaults = new GenerationSettings(),
                Slots = 16,
                Active = random.Next(17),
                Figures = new EngineFigures
                {
                    PrefillTokens = random.Next(1000),
                    OffloadedSessions = random.Next(100),
                    PrefillRate = 500,
                    DecodeRate = 300,
                    RestoreRate = 1e9,
                    BytesPerToken = 23_000,
                    DeviceIdle = 60,

                    // One of twenty nodes has the system prompt.
                    Prefixes = random.Next(20) == 0 ? [(ulong)random.Next(10) + 1] : [],
                },
            },
        ],
    };
}
