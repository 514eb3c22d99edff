using System.Runtime.CompilerServices;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>
/// A node that answers with made-up tokens, a few at a time, and that can be killed, frozen and drained. Epochs are fenced and
/// answers kept by the real classes.
/// </summary>
internal sealed class FaultyNode(string name, FaultWorld world)
{
    private readonly Dictionary<string, Session> _sessions = [];
    private readonly int _rounding = world.Random.Next(1000);
    private TaskCompletionSource _thawed = Done();

    public string Name => name;

    public bool IsAlive { get; private set; } = true;

    public bool IsDraining { get; set; }

    public bool IsFrozen => !_thawed.Task.IsCompleted;

    public NodeReport Report() => new()
    {
        Node = name,
        State = IsDraining ? NodeState.Draining : NodeState.Ready,
        ProcessId = 1,
        Runtime = "",
        Link = $"http://{name}",
        Models = [new ServedModel { Id = FaultWorld.Model, Description = "", ContextTokens = 4096, Defaults = new GenerationSettings(), Slots = 4 }],
    };

    public ISessionGrain SessionOf(string key)
    {
        if (!_sessions.TryGetValue(key, out var session))
        {
            _sessions[key] = session = new Session(this);
        }

        return session;
    }

    public void Kill()
    {
        IsAlive = false;
        IsDraining = false;
        _sessions.Clear();
        world.Forget(name);
        _thawed.TrySetResult();
    }

    public void Start() => IsAlive = true;

    public void Freeze() => _thawed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw() => _thawed.TrySetResult();

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private sealed class Session(FaultyNode node) : ISessionGrain
    {
        private readonly EpochFence _fence = new();
        private readonly AnswerTail _tail = new();

        public async IAsyncEnumerable<GenerationEvent> Generate(
            SessionRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            await Reach();
            using var work = _fence.Begin(request.Epoch, cancellation);
            _tail.Begin(request);
            node.World.Check(node.Name, request.Turn, request.Produced);
            for (var at = request.Produced.Count; at < FaultWorld.Length(request.Turn);)
            {
                await Reach();
                await Task.Delay(TimeSpan.FromMilliseconds(20), node.World.Time, CancellationToken.None);
                await Reach();
                if (work.Token.IsCancellationRequested)
                {
                    cancellation.ThrowIfCancellationRequested();
                    throw EpochFence.Refusal();
                }

                var count = Math.Min(1 + node.World.Random.Next(4), FaultWorld.Length(request.Turn) - at);
                var tokens = Enumerable.Range(at, count).Select(i => FaultWorld.Token(request.Turn, i, node._rounding)).ToList();
                node.World.Extend(node.Name, request.Epoch, request.Turn, at, tokens);
                var update = new GenerationEvent(tokens, string.Concat(tokens.Select(FaultWorld.Text)), null);
                _tail.Append(update);
                at += count;
                yield return update;
            }

            await Reach();
            yield return new GenerationEvent([], "", new GenerationOutcome(
                Finish.Stop, true, new Usage(1, FaultWorld.Length(request.Turn), 0), new Timings(default, default, default)));
        }

        public async Task<KvMove> Pull(string link, string session, CancellationToken cancellation)
        {
            await Reach();
            await Task.Delay(TimeSpan.FromMilliseconds(node.World.Random.Next(300)), node.World.Time, CancellationToken.None);
            await Reach();
            return node.World.Random.Next(4) == 0 ? new KvMove(0, 0, 0, "it broke") : new KvMove(1, 1, 0, null);
        }

        public async Task<GenerationEvent?> Recall(long epoch, string turn)
        {
            await Reach();
            _fence.Pass(epoch);
            return _tail.Of(turn);
        }

        public async Task Release(long epoch)
        {
            await Reach();
            _fence.Pass(epoch);
        }

        /// <summary>A frozen node answers when it wakes, a dead one never does.</summary>
        private async Task Reach()
        {
            while (node.IsFrozen)
            {
                await node._thawed.Task;
            }

            if (!node.IsAlive || node._sessions.Values.All(session => session != this))
            {
                throw new SiloUnavailableException($"{node.Name} is gone.");
            }
        }
    }

    private FaultWorld World => world;
}
