using System.Net;
using Herd.Contracts;
using Herd.Contracts.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>A cluster in memory: processes and a store that fail, and the directory of grains.</summary>
internal sealed class FaultWorld : IDisposable
{
    private const int FirstPort = 1000;

    private readonly List<string> _violations = [];
    private readonly Dictionary<(Type Grain, string Key), GatewayProcess> _directory = [];
    private readonly HashSet<GatewayProcess> _cutOff = [];
    private readonly Dictionary<string, DateTimeOffset> _harmedUntil = [];
    private readonly List<IDisposable> _all = [];
    private int _started;

    public FaultWorld(int seed, Setup setup, ClusterSetup? cluster = null)
    {
        Random = new Random(seed);
        Setup = setup;
        Cluster = cluster ?? new ClusterSetup();
        Pump = new Pump(Time, Cluster.Tick);
        Store = new FaultyStore(this);
        Members = new Membership(setup.Interfaces);
        Watch = new AnswerWatch(this);
        IsRounding = Cluster.IsFaulty && Random.Next(2) == 0;
    }

    public SimulatedTime Time { get; } = new();

    public Random Random { get; }

    public Setup Setup { get; }

    public ClusterSetup Cluster { get; }

    public Pump Pump { get; }

    public FaultyStore Store { get; }

    public SuspectTable Suspects { get; } = new();

    public Membership Members { get; }

    public AnswerWatch Watch { get; }

    /// <summary>True if nodes round differently, so that a replayed answer may continue differently.</summary>
    public bool IsRounding { get; }

    /// <summary>The nodes that can be reached.</summary>
    public List<NodeProcess> Nodes { get; } = [];

    /// <summary>The gateways that can be reached.</summary>
    public List<GatewayProcess> Gateways { get; } = [];

    /// <summary>Called when a node begins to compute an answer.</summary>
    public Action<NodeProcess, SessionRequest>? OnGenerate { get; set; }

    public IReadOnlyList<string> Violations => _violations;

    public NodeProcess StartNode(string name)
    {
        var node = new NodeProcess(name, NewAddress(), IsRounding ? (ulong)Random.Next(1, 1000) << 8 : 0, this);
        _all.Add(node);
        foreach (var old in Members.CurrentSnapshot.Members.Where(member => member.Value.Name == name).ToList())
        {
            Members.Remove(old.Key);
        }

        Nodes.Add(node);
        Members.Set(node, SiloStatus.Active);
        return node;
    }

    public GatewayProcess StartGateway()
    {
        var address = NewAddress();
        var gateway = new GatewayProcess($"gateway-{address.Endpoint.Port}", address, this);
        _all.Add(gateway);
        Gateways.Add(gateway);
        Members.Set(gateway, SiloStatus.Active);
        gateway.Start();
        return gateway;
    }

    /// <summary>Ends a node. The cluster finds out later.</summary>
    public void Lose(NodeProcess node)
    {
        Nodes.Remove(node);
        node.Lose();
    }

    /// <summary>Ends a gateway. The cluster finds out later, by <see cref="Expel"/>.</summary>
    public void Lose(GatewayProcess gateway)
    {
        Gateways.Remove(gateway);
        _cutOff.Remove(gateway);
        gateway.Lose();
    }

    /// <summary>
    /// The cluster takes a gateway for lost. The gateway and its clients continue beside the new owners.
    /// </summary>
    public void CutOff(GatewayProcess gateway)
    {
        Expel(gateway);
        _cutOff.Add(gateway);
    }

    /// <summary>Moves a gateway's grains to other gateways, for all processes but itself.</summary>
    public void Expel(GatewayProcess gateway)
    {
        Gateways.Remove(gateway);
        Members.Remove(gateway.Silo);
        foreach (var grain in _directory.Where(entry => entry.Value == gateway).Select(entry => entry.Key).ToList())
        {
            _directory.Remove(grain);
        }
    }

    /// <summary>
    /// Records that a node or the store is broken for a time, and until the next tick. An answer may be lost by that.
    /// </summary>
    public void Harm(string what, TimeSpan length) =>
        _harmedUntil[what] = new[]
        {
            _harmedUntil.GetValueOrDefault(what), Time.GetUtcNow() + length + Cluster.Tick,
        }.Max();

    /// <summary>True if a node or the store has been broken since a time.</summary>
    public bool IsHarmed(string what, DateTimeOffset since) => _harmedUntil.GetValueOrDefault(what) > since;

    /// <summary>The process of a grain.</summary>
    /// <exception cref="SiloUnavailableException">The grain has no process now.</exception>
    public SimulatedProcess Locate(Type grain, string key, SimulatedProcess? caller)
    {
        if (grain == typeof(INodeGrain) || grain == typeof(ISessionGrain))
        {
            var name = grain == typeof(INodeGrain) ? key : GrainKey.Split(key)[0];
            return Nodes.FirstOrDefault(node => node.Name == name)
                ?? throw new SiloUnavailableException($"{name} is gone.");
        }

        var asked = caller is GatewayProcess { IsThere: true } asking ? asking : AnyGateway();
        if (_cutOff.Contains(asked))
        {
            return asked;
        }

        if (!_directory.TryGetValue((grain, key), out var gateway))
        {
            _directory[(grain, key)] = gateway = asked;
        }

        return gateway;
    }

    private GatewayProcess AnyGateway()
    {
        List<GatewayProcess> all = [.. Gateways, .. _cutOff];
        return all.Count > 0 ? all[Random.Next(all.Count)] : throw new SiloUnavailableException("No gateway is there.");
    }

    /// <summary>Removes a grain from the directory, if it lived on this process.</summary>
    public void Forget(Type grain, string key, SimulatedProcess process)
    {
        if (_directory.GetValueOrDefault((grain, key)) == process)
        {
            _directory.Remove((grain, key));
        }
    }

    public void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            _violations.Add(otherwise);
        }
    }

    public void Dispose() => _all.ForEach(process => process.Dispose());

    private SiloAddress NewAddress() => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, FirstPort + _started++), 1);
}
