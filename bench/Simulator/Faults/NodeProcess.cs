using Herd.Contracts.Nodes;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Grains.Nodes.Drain;
using Herd.Grains.Nodes.Link;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Generation;
using Herd.Inference.Models.Probing;
using Herd.Inference.Simulated;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ClusterOptions = Herd.Grains.Hosting.Configuration.ClusterOptions;

namespace Herd.Simulator.Faults;

/// <summary>
/// A node with the real grains, engine, drain and link, on the simulated runtime. The engine computes a step at each
/// tick.
/// </summary>
internal sealed class NodeProcess : SimulatedProcess, IEngineRunner, IDisposable
{
    private readonly NodeClock _clock;
    private readonly NodeHost _host;
    private readonly SessionPull _pull;
    private readonly ReplayBuffers _buffers = new();
    private readonly NodeDrain _drain;
    private readonly ModelSwitch _models;
    private readonly NodeRetirement _retirement;
    private readonly NodeInspection _inspection;
    private readonly int _slots;
    private readonly List<Engine> _engines = [];
    private readonly CancellationTokenSource _over = new();

    /// <param name="name">The node's name. A node that is started again has the same name.</param>
    /// <param name="silo">The unique address of the process.</param>
    /// <param name="rounding">The rounding of the node's runtime.</param>
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
        var cluster = Options.Create(new ClusterOptions
        {
            Name = name, Address = "127.0.0.1", LinkPort = silo.Endpoint.Port, KeyFile = setup.KeyFile,
        });
        var lifetime = new ApplicationLifetime(world.Setup.Loggers.CreateLogger<ApplicationLifetime>());
        _pull = new SessionPull(
            new NodeLinks(new MemoryLinks(world, this), setup.Reports, Time),
            setup.Key, node, Time, world.Setup.Loggers.CreateLogger<SessionPull>());
        var warmUp = new WarmUp(_pull, Time, world.Setup.Loggers.CreateLogger<WarmUp>());
        var probe = new ModelProbe(runtime, new PassedModels(""), command: null);
        _host = new NodeHost(runtime, node, cluster, probe, this, warmUp.Run, Time, world.Setup.Loggers, lifetime);
        _drain = new NodeDrain(
            _host,
            Grains,
            world.Members,
            world.Members,
            setup.Interfaces,
            new Eviction(lifetime, world.Setup.Loggers.CreateLogger<Eviction>()), node, cluster,
            Time, lifetime, world.Setup.Loggers.CreateLogger<NodeDrain>());
        _models = new ModelSwitch(
            _host,
            new NodeModels(runtime, node, cluster, probe),
            _drain.Switch,
            lifetime,
            world.Setup.Loggers.CreateLogger<ModelSwitch>());
        _retirement = new NodeRetirement(_host, _drain.Empty, Time);
        _inspection = new NodeInspection(_host, runtime, node, cluster, Time);
        LinkService = new NodeLinkService(_host, setup.Key, setup.Reports, Time);

        // Its ports are open from the beginning.
        lifetime.NotifyStarted();
        _ = _host.Run(_over.Token);
    }

    public override TimeProvider Time => _clock;

    /// <summary>The time until the latest tokens are delivered.</summary>
    public TimeSpan Ahead => _clock.Ahead;

    /// <summary>The number of answers that are computed or wait, divided by the slots.</summary>
    public double Pressure => _engines.Sum(engine => engine.Load.Active + engine.Load.Queued) / (double)_slots;

    public override IGrainFactory Grains { get; }

    public string Link => _host.Link;

    public NodeLinkService LinkService { get; }

    /// <summary>True if the engine hangs although the process runs.</summary>
    public bool IsHung { get; set; }

    public override Grain Create(Type grain, IGrainContext context) => grain == typeof(ISessionGrain)
        ? new SessionGrain(context, _host, _pull, _buffers, Time)
        : new NodeGrain(context, _host, _drain, _models, _retirement, _inspection);

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
