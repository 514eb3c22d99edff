using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Inference.Simulated;

namespace Herd.Simulator;

/// <summary>
/// A model of a node by queueing theory: slots, prefills one after another beside decoding, and KV caches on the device
/// and in host memory. Each tier holds a number of tokens and drops the least recently used session first. The timings
/// are those of the simulated runtime.
/// </summary>
internal sealed class SimulatedNode(string name, int slots, double speed, long deviceTokens, long hostTokens)
{
    public const string Model = "m";
    private const double BytesPerToken = 23_000;
    private const double PullRate = 1e9;
    private static readonly SimulatedTimings Timings = new();

    private readonly PriorityQueue<double, double> _busyUntil = new();
    private readonly PriorityQueue<double, double> _slotFree = new();
    private readonly Tier _device = new(deviceTokens);
    private readonly Tier _host = new(hostTokens);
    private double _prefillFree;

    public string Name => name;

    public bool IsAlive { get; set; } = true;

    public int Sessions => _device.Count + _host.Count;

    /// <summary>The number of turns that are computed or wait, divided by the slots.</summary>
    public double Pressure(double now)
    {
        AdvanceTo(now);
        return (double)_busyUntil.Count / slots;
    }

    public double Capacity => slots;

    /// <summary>Computes a turn.</summary>
    /// <param name="conversation">The conversation.</param>
    /// <param name="tokens">The tokens of the prompt.</param>
    /// <param name="answer">The tokens of the answer.</param>
    /// <param name="pulled">The tokens that are pulled from another node.</param>
    /// <param name="now">The present time.</param>
    /// <returns>The times of the first token and of the end, and the cached tokens of the prompt.</returns>
    public (double First, double End, int Cached) Take(int conversation, int tokens, int answer, int pulled, double now)
    {
        AdvanceTo(now);
        var onDevice = _device.Remove(conversation);
        var offloaded = _host.Remove(conversation);
        var cached = Math.Min(Math.Max(Math.Max(onDevice, offloaded), pulled), tokens - 1);
        var moving = pulled > 0 ? pulled * BytesPerToken / PullRate
            : offloaded > 0 ? offloaded / Timings.CopiedPerSecond / speed : 0;
        var slotFree = _slotFree.Count < slots ? now : Math.Max(now, _slotFree.Dequeue());
        var start = Math.Max(slotFree, _prefillFree) + moving;
        var first = start + ((tokens - cached) / (Timings.PrefillPerSecond * speed));
        var step = (Timings.Step + (Timings.Sequence * Math.Min(slots, _busyUntil.Count + 1))) / speed;
        var end = first + (answer * step.TotalSeconds);
        _prefillFree = first;
        _busyUntil.Enqueue(end, end);
        _slotFree.Enqueue(end, end);
        Keep(conversation, tokens + answer);
        return (first, end, cached);
    }

    /// <summary>The tokens of a conversation's session; 0 if it was dropped.</summary>
    public int CachedTokens(int conversation) => Math.Max(_device.Tokens(conversation), _host.Tokens(conversation));

    public void Release(int conversation)
    {
        _device.Remove(conversation);
        _host.Remove(conversation);
    }

    /// <summary>Adds a session that migrated here.</summary>
    public void AddMigrated(int conversation, int tokens) => _host.Put(conversation, tokens, _ => { });

    /// <summary>The conversations with a session, the most recently used first.</summary>
    public IEnumerable<int> Newest => _device.Newest.Concat(_host.Newest);

    /// <summary>Drops all sessions, as a restart does.</summary>
    public void Restart(double now)
    {
        _device.Clear();
        _host.Clear();
        _busyUntil.Clear();
        _slotFree.Clear();
        _prefillFree = now;
    }

    public NodeReport Report(double now)
    {
        AdvanceTo(now);
        return new NodeReport
        {
            Node = name,
            State = IsAlive ? NodeState.Ready : NodeState.Lost,
            ProcessId = 1,
            Runtime = "simulated",
            Models =
            [
                new ServedModel
                {
                    Id = Model,
                    Description = "",
                    ContextTokens = Habits.ContextTokens,
                    Defaults = new GenerationSettings(),
                    Slots = slots,
                    Active = Math.Min(slots, _busyUntil.Count),
                    Queued = Math.Max(0, _busyUntil.Count - slots),
                    Sessions = _device.Count,
                    Figures = new EngineFigures
                    {
                        PrefillTokens = (int)(Math.Max(0, _prefillFree - now) * Timings.PrefillPerSecond * speed),
                        OffloadedSessions = _host.Count,
                        BytesPerToken = BytesPerToken,
                        PrefillRate = Timings.PrefillPerSecond * speed,
                        DecodeRate = DecodeRate,
                        RestoreRate = Timings.CopiedPerSecond * speed * BytesPerToken,
                        PullRate = PullRate,
                        DeviceIdle = double.PositiveInfinity,
                        HostIdle = double.PositiveInfinity,
                    },
                },
            ],
        };
    }

    private double DecodeRate
    {
        get
        {
            var active = Math.Clamp(_busyUntil.Count, 1, slots);
            return active * speed / (Timings.Step + (Timings.Sequence * active)).TotalSeconds;
        }
    }

    private void Keep(int conversation, int tokens) => _device.Put(
        conversation, tokens, dropped => _host.Put(dropped.Conversation, dropped.Tokens, _ => { }));

    private void AdvanceTo(double now)
    {
        while (_busyUntil.TryPeek(out var end, out _) && end <= now)
        {
            _busyUntil.Dequeue();
        }
    }

    /// <summary>A tier with a maximum number of tokens.</summary>
    private sealed class Tier(long capacity)
    {
        private readonly Dictionary<int, LinkedListNode<(int Conversation, int Tokens)>> _entries = [];
        private readonly LinkedList<(int Conversation, int Tokens)> _order = new();
        private long _used;

        public int Count => _entries.Count;

        public IEnumerable<int> Newest => _order.Select(kept => kept.Conversation);

        public int Tokens(int conversation) =>
            _entries.TryGetValue(conversation, out var entry) ? entry.Value.Tokens : 0;

        public int Remove(int conversation)
        {
            if (!_entries.Remove(conversation, out var entry))
            {
                return 0;
            }

            _order.Remove(entry);
            _used -= entry.Value.Tokens;
            return entry.Value.Tokens;
        }

        public void Put(int conversation, int tokens, Action<(int Conversation, int Tokens)> drop)
        {
            Remove(conversation);
            _entries[conversation] = _order.AddFirst((conversation, tokens));
            _used += tokens;
            while (_used > capacity && _order.Last is { } oldest)
            {
                Remove(oldest.Value.Conversation);
                drop(oldest.Value);
            }
        }

        public void Clear()
        {
            _entries.Clear();
            _order.Clear();
            _used = 0;
        }
    }
}
