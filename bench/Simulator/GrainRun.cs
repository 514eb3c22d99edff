using System.Globalization;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Grains.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Inference.Simulated;
using Herd.Simulator.Faults;

namespace Herd.Simulator;

/// <summary>
/// The load of <see cref="ScaleRun"/> on the real thing: grains, links, engines and schedulers of every node, two
/// gateways with their routers, watchers and rebalancers, on simulated runtimes in simulated time.
/// </summary>
internal sealed class GrainRun : IDisposable
{
    private const int BytesPerToken = sizeof(int);
    private const double MeasureEvery = 1;
    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);

    /// <summary>The time in which nodes load, warm up and report.</summary>
    private static readonly TimeSpan Begin = TimeSpan.FromSeconds(10);

    private readonly FaultWorld _world;
    private readonly IGrainFactory _grains;
    private readonly string _policy;
    private readonly int _nodes;
    private readonly int _conversations;
    private readonly double _length;
    private readonly List<double> _firstTokens = [];
    private readonly List<double> _imbalance = [];
    private readonly List<Turn> _turns = [];
    private double _measured;
    private double _end;

    public GrainRun(string policy, int nodes, int conversations, int seed, Setup setup)
    {
        (_policy, _nodes, _conversations) = (policy, nodes, conversations);
        _length = conversations / Habits.BegunPerSecond(nodes);
        _world = new FaultWorld(seed, setup, new ClusterSetup
        {
            Tick = TimeSpan.FromMilliseconds(10),
            IsFaulty = false,
            Timings = name => new SimulatedTimings
            {
                Speed = Habits.Speed(int.Parse(name[1..], CultureInfo.InvariantCulture)),
            },
            Node = () => new NodeOptions
            {
                Slots = Habits.Slots,
                ContextTokens = Habits.ContextTokens,
                KvHostBytes = Habits.HostTokens * BytesPerToken,
                StreamInterval = TimeSpan.Zero,
                Speculate = false,
            },
            Routing = new RoutingOptions { Policy = policy, Seed = seed },
            Rebalance = new RebalanceOptions { MaxMovesPerMinute = int.MaxValue },
        });
        _grains = GrainCaller.Create(_world, caller: null);
    }

    private double Now => (_world.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    public Summary Run()
    {
        _world.Pump.Run(Talk, Tick, Limit);
        return Summarize();
    }

    public void Dispose() => _world.Dispose();

    private async Task Talk()
    {
        for (var node = 0; node < _nodes; node++)
        {
            _world.StartNode($"n{node}");
        }

        _world.StartGateway();
        _world.StartGateway();
        await Task.Delay(Begin, _world.Time);
        (_measured, _end) = (Now + Begin.TotalSeconds, Now + _length);
        await Task.WhenAll([
            .. Enumerable.Range(0, _conversations).Select(
                i => Talk(i, TimeSpan.FromSeconds(i / Habits.BegunPerSecond(_nodes)))),
            Fail(),
        ]);
    }

    /// <summary>A twentieth of the nodes are killed at a third of the time, and back at half of it.</summary>
    private async Task Fail()
    {
        await Task.Delay(TimeSpan.FromSeconds(_length / 3), _world.Time);
        var victims = _world.Nodes.Where((_, i) => i % 20 == 7).ToList();
        victims.ForEach(_world.Lose);
        await Task.Delay(TimeSpan.FromSeconds(_length / 6), _world.Time);
        victims.ForEach(node => _world.StartNode(node.Name));
    }

    private async Task Talk(int number, TimeSpan begin)
    {
        await Task.Delay(begin, _world.Time);
        var (id, random) = ($"c{number}", new Random(number));
        var grain = _grains.GetGrain<IConversationGrain>(GrainKey.Conversation("t", id));
        await grain.Create(null, new string('s', Habits.SystemTokens), CancellationToken.None);
        var turns = Habits.Turns(random);
        for (var turn = 0; turn < turns; turn++)
        {
            var said = new Message(Role.User, new string((char)('a' + random.Next(26)), Habits.Said(random)));
            var settings = new GenerationSettings
            {
                Temperature = 0, MaxTokens = Habits.Answer(random), IgnoreEnd = true,
            };
            await Take(grain, new TurnRequest { TurnId = $"{id}-{turn}", Input = [said], Settings = settings });
            await Task.Delay(TimeSpan.FromSeconds(Habits.Thinking(random)), _world.Time);
        }
    }

    private async Task Take(IConversationGrain grain, TurnRequest request)
    {
        var (began, isFirst, node) = (Now, true, "");
        await foreach (var update in grain.Converse(request, CancellationToken.None))
        {
            node = update.Started?.Node ?? node;
            if (isFirst && update.Delta is not null)
            {
                isFirst = false;
                _firstTokens.Add(Now - began + _world.Nodes.First(there => there.Name == node).Ahead.TotalSeconds);
            }

            if (update.Completed is { } completed)
            {
                _turns.Add(completed);
            }
        }
    }

    private void Tick()
    {
        _world.Nodes.ToList().ForEach(node => node.Advance());
        if (Now >= _measured && Now < _end)
        {
            _measured += MeasureEvery;
            _imbalance.Add(
                _world.Nodes.Max(node => node.Pressure) / Math.Max(0.01, _world.Nodes.Average(node => node.Pressure)));
        }
    }

    private Summary Summarize()
    {
        _firstTokens.Sort();
        _imbalance.Sort();
        var later = _turns.Where(turn => !turn.Id.EndsWith("-0", StringComparison.Ordinal)).ToList();
        var pulled = _turns.Count(
            turn => turn.Placements?.Any(placement => placement.Pull is { Failure: null, Tokens: > 0 }) == true);
        return new Summary(
            _policy,
            _turns.Count,
            _firstTokens[_firstTokens.Count / 2],
            _firstTokens[(int)(_firstTokens.Count * 0.99)],
            _imbalance.Count > 0 ? _imbalance[_imbalance.Count / 2] : double.NaN,
            later.Sum(turn => (double)turn.Usage!.CachedTokens) / later.Sum(turn => turn.Usage!.PromptTokens),
            pulled,
            _world.Watch.Pulled - pulled,
            DecisionsPerSecond: null);
    }
}
