using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Nodes.Link;
using Herd.Inference.Generation;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ClusterOptions = Herd.Grains.Hosting.ClusterOptions;

namespace Herd.Simulator.Faults;

/// <summary>
/// A node: its grains, engine, drain and link are the real ones, on the simulated runtime; a step is computed at each
/// tick.
/// </summary>
internal sealed class NodeProcess : SimulatedProcess, IEngineRunner, IDisposable
{
    private readonly NodeClock _clock;
    private readonly NodeHost _host;
    private readonly SessionPull _pull;
    private readonly NodeDrain _drain;
    private readonly NodeRetirement _retirement;
    private readonly NodeInspection _inspection;
    private readonly int _slots;
    private readonly List<Engine> _engines = [];
    private readonly CancellationTokenSource _over = new();

    /// <param name="name">Its name, which the next one of that name takes over.</param>
    /// <param name="silo">Its address, one of a kind.</param>
    /// <param name="rounding">How its runtime rounds.</param>
    /// <param name="world">The cluster.</param>
    public NodeProcess(string name, SiloAddress silo, ulong rounding, FaultWorld world)
        : base(name, silo)
    {
        _clock = new NodeClock(world.Time, world.Cluster.Tick);
        Grains = GrainCaller.Create(world, this);
        var setup = world.Setup;
        var runtime = new SimulatedRuntime(world.Cluster.Timings(name) with { Rounding = rounding }, Time);
        var node = Options.Create(world.Cluster.Node());
        (node.Value.Model, node.Value.Catalog, _slots) = (setup.Model, setup.Catalog, node.Value.Slots);
        var cluster = Options.Create(new ClusterOptions { Name = name, Address = "127.0.0.1", LinkPort = silo.Endpoint.Port, KeyFile = setup.KeyFile });
        var lifetime = new ApplicationLifetime(world.Setup.Loggers.CreateLogger<ApplicationLifetime>());
        _pull = new SessionPull(
            new NodeLinks(new MemoryLinks(world, this), setup.Reports, Time), setup.Key, node, Time, world.Setup.Loggers.CreateLogger<SessionPull>());
        var warmUp = new WarmUp(_pull, Time, world.Setup.Loggers.CreateLogger<WarmUp>());
        _host = new NodeHost(runtime, node, cluster, this, warmUp.Run, Time, world.Setup.Loggers, lifetime);
        _drain = new NodeDrain(
            _host, Grains, world.Members, world.Members, setup.Interfaces, new Eviction(lifetime, world.Setup.Loggers.CreateLogger<Eviction>()), node, cluster,
            Time, lifetime, world.Setup.Loggers.CreateLogger<NodeDrain>());
        _retirement = new NodeRetirement(_host, _drain.Empty, Time);
        _inspection = new NodeInspection(_host, runtime, node, cluster, Time);
        LinkService = new NodeLinkService(_host, setup.Key, setup.Reports, Time);
        _ = _host.Run(_over.Token);
    }

    public override TimeProvider Time => _clock;

    /// <summary>How long from now what it has just produced is there.</summary>
    public TimeSpan Ahead => _clock.Ahead;

    /// <summary>Answers that are computed or wait, for each slot.</summary>
    public double Pressure => _engines.Sum(engine => engine.Load.Active + engine.Load.Queued) / (double)_slots;

    public override IGrainFactory Grains { get; }

    public string Link => _host.Link;

    public NodeLinkService LinkService { get; }

    /// <summary>Whether its engine no longer computes, though the process lives.</summary>
    public bool IsHung { get; set; }

    public override Grain Create(Type grain, IGrainContext context) => grain == typeof(ISessionGrain)
        ? new SessionGrain(context, _host, _pull, Time)
        : new NodeGrain(context, _host, _drain, _retirement, _inspection);

    /// <summary>A killed node does nothing more. A frozen one continues after its thaw.</summary>
    public override async Task Alive()
    {
        while (IsFrozen || !IsThere)
        {
            await WhenThawed;
        }
    }

    public void Start(Engine engine) => _engines.Add(engine);

    /// <summary>Computes as many steps as there is time for, at least one.</summary>
    public void Advance()
    {
        if (IsThere && !IsFrozen && !IsHung)
        {
            _clock.Compute(() => _engines.RemoveAll(engine => !engine.Advance(TimeSpan.Zero)));
        }
    }

    /// <summary>SIGTERM: the node drains.</summary>
    public Task Drain() => _drain.StoppingAsync(CancellationToken.None);

    public void Dispose()
    {
        _retirement.Dispose();
        _over.Dispose();
    }
}
