using System.Diagnostics;
using System.Globalization;
using Herd.Contracts.Placements;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Herd.Simulator.Faults;
using Microsoft.Extensions.Options;

namespace Herd.Simulator;

/// <summary>
/// Conversations come and go over many nodes, in simulated time: the real node registry, router, routing policies and
/// rebalance plan over <see cref="SimulatedNode"/>s of which a fifth is half as fast, some die, and some come back.
/// </summary>
internal sealed class ScaleRun
{
    private const double ReportEvery = 0.4;
    private const double RebalanceEvery = 5;
    private const double MeasureEvery = 1;

    private readonly SimulatedTime _clock = new();
    private readonly Random _random;
    private readonly SimulatedNode[] _nodes;
    private readonly Dictionary<string, SimulatedNode> _byName;
    private readonly NodeRegistry _registry;
    private readonly Router _router;
    private readonly RebalanceOptions _rebalance = new() { MaxMovesPerMinute = int.MaxValue };
    private readonly MigrationBudget _budget;
    private readonly PriorityQueue<int, double> _turns = new();
    private readonly Talk[] _talks;
    private readonly List<float> _firstTokens = [];
    private readonly List<double> _imbalance = [];
    private long _decisions;
    private TimeSpan _deciding;
    private long _prompt;
    private long _cached;
    private int _pulled;
    private int _rebalanced;
    private double _now;

    private struct Talk
    {
        public string? Home;
        public int Tokens;
        public int TurnsLeft;
        public double LastEnd;
    }

    public ScaleRun(string policy, int nodes, int conversations, int seed)
    {
        Policy = policy;
        _random = new Random(seed);
        _nodes =
        [
            .. Enumerable.Range(0, nodes).Select(i => new SimulatedNode(
                $"node-{i}", Habits.Slots, Habits.Speed(i), Habits.DeviceTokens, Habits.HostTokens)),
        ];
        _byName = _nodes.ToDictionary(node => node.Name);
        _registry = new NodeRegistry(Pools.None, _clock);
        _router = new Router(_registry, Options.Create(new RoutingOptions { Policy = policy, Seed = seed }), _clock);
        _budget = new MigrationBudget(_rebalance, _clock);
        _talks = new Talk[conversations];

        var begin = Habits.BegunPerSecond(nodes);
        for (var i = 0; i < conversations; i++)
        {
            _talks[i] = new Talk { TurnsLeft = Habits.Turns(_random), Tokens = Habits.SystemTokens };
            _turns.Enqueue(i, i / begin);
        }

        Length = conversations / begin;
    }

    public string Policy { get; }

    /// <summary>Seconds in which new conversations begin.</summary>
    public double Length { get; }

    public Summary Run()
    {
        var (report, rebalance, measure) = (0.0, RebalanceEvery, 10.0);
        var (die, back) = (Length / 3, Length / 2);
        while (_turns.TryDequeue(out var conversation, out var at))
        {
            for (; report <= at; report += ReportEvery)
            {
                Reach(report);
                Report();
            }

            if (at >= die)
            {
                Kill(_nodes.Length / 20);
                die = double.PositiveInfinity;
            }

            if (at >= back)
            {
                Revive();
                back = double.PositiveInfinity;
            }

            for (; rebalance <= at; rebalance += RebalanceEvery)
            {
                Rebalance();
            }

            for (; measure <= Math.Min(at, Length); measure += MeasureEvery)
            {
                var pressures = _nodes.Where(node => node.IsAlive).Select(node => node.Pressure(at)).ToList();
                _imbalance.Add(pressures.Max() / Math.Max(0.01, pressures.Average()));
            }

            Reach(at);
            Take(conversation);
        }

        return Summarize();
    }

    private void Take(int conversation)
    {
        ref var talk = ref _talks[conversation];
        var (said, answer) = (Habits.Said(_random), Habits.Answer(_random));
        var tokens = talk.Tokens + said;
        var home = talk.Home is { } name && _byName[name].IsAlive ? _byName[name] : null;
        var started = Stopwatch.GetTimestamp();
        var placement = _router.Route(SimulatedNode.Model, new RouteRequest
        {
            Conversation = conversation.ToString(CultureInfo.InvariantCulture),
            Reason = PlacementReason.Turn,
            Home = talk.Home,
            Tokens = tokens,
            CachedTokens = talk.Home is null ? 0 : talk.Tokens,
            Idle = TimeSpan.FromSeconds(_now - talk.LastEnd),
        })!;
        _deciding += Stopwatch.GetElapsedTime(started);
        _decisions++;

        var node = _byName[placement.Node];
        var isPulled = placement.Considered[0].Origin == KvOrigin.Pull && home is not null && home != node;
        var pulled = isPulled ? home!.CachedTokens(conversation) : 0;
        _pulled += pulled > 0 ? 1 : 0;
        var (first, end, cached) = node.Take(conversation, tokens, answer, pulled, _now);
        if (home is not null && home != node)
        {
            home.Release(conversation);
        }

        if (talk.Home is not null)
        {
            _prompt += tokens;
            _cached += cached;
        }

        _firstTokens.Add((float)(first - _now));
        talk.Home = node.Name;
        talk.Tokens = tokens + answer;
        talk.LastEnd = end;
        _registry.Update(node.Report(_now));
        if (--talk.TurnsLeft > 0)
        {
            _turns.Enqueue(conversation, end + Habits.Thinking(_random));
        }
    }

    private void Rebalance()
    {
        foreach (var transfer in RebalancePlan.Create(_router.Shares(SimulatedNode.Model), _rebalance))
        {
            var (from, to) = (_byName[transfer.From], _byName[transfer.To]);
            var resting = from.Newest
                .Where(c => _talks[c].LastEnd < _now - 1 && _talks[c].TurnsLeft > 0)
                .Take(transfer.Sessions)
                .ToList();
            foreach (var conversation in resting)
            {
                if (_budget.TryTake(conversation.ToString(CultureInfo.InvariantCulture)))
                {
                    to.AddMigrated(conversation, from.CachedTokens(conversation));
                    from.Release(conversation);
                    _talks[conversation].Home = to.Name;
                    _rebalanced++;
                }
            }
        }
    }

    private void Report()
    {
        foreach (var node in _nodes)
        {
            if (node.IsAlive)
            {
                _registry.Update(node.Report(_now));
            }
        }
    }

    private void Kill(int count)
    {
        foreach (var node in _nodes.Where((_, i) => i % 20 == 7).Take(count))
        {
            node.IsAlive = false;
            node.Restart(_now);
            _registry.MarkLost(node.Name);
        }
    }

    private void Revive()
    {
        foreach (var node in _nodes.Where(node => !node.IsAlive))
        {
            node.IsAlive = true;
            node.Restart(_now);
        }
    }

    private void Reach(double time)
    {
        if (time > _now)
        {
            _clock.Advance(TimeSpan.FromSeconds(time - _now));
            _now = time;
        }
    }

    private Summary Summarize()
    {
        _firstTokens.Sort();
        _imbalance.Sort();
        return new Summary(
            Policy,
            _firstTokens.Count,
            _firstTokens[_firstTokens.Count / 2],
            _firstTokens[(int)(_firstTokens.Count * 0.99)],
            _imbalance[_imbalance.Count / 2],
            (double)_cached / _prompt,
            _pulled,
            _rebalanced,
            _decisions / _deciding.TotalSeconds);
    }
}
