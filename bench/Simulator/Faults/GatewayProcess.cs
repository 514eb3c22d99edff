using Herd.Contracts.Conversations;
using Herd.Grains.Accounting.Ledger;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;
using Herd.Grains.Nodes.Link;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Herd.Simulator.Faults;

/// <summary>A gateway: its grains, router, watcher and rebalancer are the real ones.</summary>
internal sealed class GatewayProcess : SimulatedProcess, IDisposable
{
    private readonly FaultWorld _world;
    private readonly ProcessStore _store;
    private bool _isKilled;
    private readonly NodeRegistry _registry;
    private readonly TurnExecutor _executor;
    private readonly SessionMigration _migration;
    private readonly SessionClient _sessions;
    private readonly UsageRecorder _usage;
    private readonly GatewayDrain _drain;
    private readonly NodeWatcher _watcher;
    private readonly RebalanceTimer _timer;
    private readonly IOptions<RebalanceOptions> _rebalance;
    private readonly CancellationTokenSource _over = new();

    public GatewayProcess(string name, SiloAddress silo, FaultWorld world)
        : base(name, silo)
    {
        _world = world;
        _store = new ProcessStore(world.Store, this);
        Grains = GrainCaller.Create(world, this);
        var routing = Options.Create(world.Cluster.Routing);
        _rebalance = Options.Create(world.Cluster.Rebalance);
        _registry = new NodeRegistry(Pools.None, Time);
        Router = new Router(_registry, routing, Time);
        var turnRouter = new TurnRouter(_registry, Router, Pools.None, Time);
        _sessions = new SessionClient(_registry, Grains, Time);
        var attempt = new TurnAttempt(_registry, _sessions, new FailoverMonitor(_registry, turnRouter));
        var poison = new PoisonTurns(
            _registry,
            turnRouter,
            new PoisonRegister(new SimulatedPoisonStore(world, this), Time),
            new ContentDigest(world.Setup.Key),
            Options.Create(new PoisonOptions()),
            Time,
            world.Setup.Loggers.CreateLogger<PoisonTurns>());
        _executor = new TurnExecutor(
            Router,
            turnRouter,
            _sessions,
            attempt,
            new FailedAttempts(_registry, poison, world.Setup.Loggers.CreateLogger<FailedAttempts>()),
            poison,
            world.Setup.Loggers.CreateLogger<TurnExecutor>());
        _migration = new SessionMigration(
            _registry, Router, turnRouter, _sessions, world.Setup.Loggers.CreateLogger<SessionMigration>());
        _drain = new GatewayDrain(Time);
        _usage = new UsageRecorder(new NoLedger(), Time, world.Setup.Loggers.CreateLogger<UsageRecorder>());
        _watcher = new NodeWatcher(
            world.Members,
            world.Members,
            world.Setup.Interfaces,
            Grains,
            new NodeLinks(new MemoryLinks(world, this), world.Setup.Reports, Time),
            _registry,
            routing,
            Time,
            world.Setup.Loggers.CreateLogger<NodeWatcher>());
        _timer = new RebalanceTimer(Grains, _rebalance, Time, world.Setup.Loggers.CreateLogger<RebalanceTimer>());
    }

    public override TimeProvider Time => _world.Time;

    public override IGrainFactory Grains { get; }

    public Router Router { get; }

    public override Grain Create(Type grain, IGrainContext context) => grain == typeof(IConversationGrain)
        ? new ConversationGrain(
            context, _store, _executor, _migration, _sessions, _drain, new LocalEventChannels(), _usage, Grains, Time)
        : new RebalancerGrain(
            context,
            _registry,
            Router,
            Grains,
            _rebalance,
            Time,
            _world.Setup.Loggers.CreateLogger<RebalancerGrain>());

    /// <summary>A gateway that is cut off or taken for lost continues. A killed one does nothing more.</summary>
    public override Task Alive() => _isKilled ? new TaskCompletionSource().Task : Task.CompletedTask;

    public void Start()
    {
        _ = _watcher.Run(_over.Token);
        _ = _timer.Run(_over.Token);
    }

    /// <summary>SIGTERM: the gateway drains.</summary>
    public Task Drain() => _drain.StoppingAsync(CancellationToken.None);

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _isKilled = true;
        End();
    }

    /// <summary>The process has ended.</summary>
    public void End() => _over.Cancel();

    public void Dispose()
    {
        _watcher.Dispose();
        _timer.Dispose();
        _drain.Dispose();
        _over.Dispose();
    }
}
