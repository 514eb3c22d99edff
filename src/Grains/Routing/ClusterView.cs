using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Rebalancing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Routing;

/// <summary>The nodes as this gateway knows them: their latest reports, and what it has sent them since. Thread-safe.</summary>
public sealed class ClusterView(IOptions<RoutingOptions> options, Pools pools, TimeProvider time)
{
    /// <summary>Seconds; what is beyond a day is no forecast.</summary>
    private const double MaxPredictedSeconds = 86_400;

    private readonly Lock _lock = new();
    private readonly IRoutingPolicy _policy = options.Value.ToPolicy();
    private readonly SortedDictionary<string, (NodeReport Report, double At)> _reports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RoutingTable> _tables = [];
    private readonly Dictionary<string, ServedModel> _known = [];
    private readonly InFlightLoad _sent = new();
    private readonly Dictionary<string, CancellationTokenSource> _ready = [];

    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when something is known that was not when this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>The latest report of every node, by name.</summary>
    public IReadOnlyList<NodeReport> Nodes
    {
        get
        {
            lock (_lock)
            {
                return [.. _reports.Values.Select(known => known.Report)];
            }
        }
    }

    /// <summary>The models served by nodes that are ready, and those of pools that sleep, by id.</summary>
    public IReadOnlyList<ServedModel> Models =>
    [
        .. Nodes.Where(node => node.State == NodeState.Ready)
            .SelectMany(node => node.Models)
            .Concat(pools.MaySleep.Select(SleepingModel))
            .DistinctBy(model => model.Id)
            .OrderBy(model => model.Id, StringComparer.Ordinal),
    ];

    /// <summary>The ids of <see cref="Models"/>, for errors.</summary>
    public string ModelNames => string.Join(", ", Models.Select(model => model.Id));

    private double Now => (double)time.GetTimestamp() / time.TimestampFrequency;

    /// <summary>What whoever asks for a model that no node serves is told.</summary>
    public HerdException NotServed(string model) => new(
        HerdError.ModelNotFound, $"No node serves the model '{model}'. Served: {ModelNames}.", "model");

    /// <summary>What whoever names no model is told where several are served.</summary>
    public HerdException SeveralServed() => new(
        HerdError.InvalidArgument, $"Several models are served ({ModelNames}); say which to use.", "model");

    /// <exception cref="HerdException">The node is not known.</exception>
    public void ThrowIfUnknown(string node)
    {
        if (Find(node) is null)
        {
            throw new HerdException(HerdError.InvalidArgument, $"There is no node '{node}'.", "node");
        }
    }

    /// <summary>How a model's answers are to be read: as was known last when it is not served, else as most models' are.</summary>
    public AnswerMarkup MarkupOf(string? model)
    {
        lock (_lock)
        {
            return _reports.Values
                .Where(known => known.Report.State == NodeState.Ready)
                .SelectMany(known => known.Report.Models)
                .FirstOrDefault(served => served.Id == model)?.Markup
                ?? (model is null ? null : _known.GetValueOrDefault(model)?.Markup) ?? AnswerMarkup.None;
        }
    }

    /// <summary>A node's latest report; null when it is not known.</summary>
    public NodeReport? Find(string? node)
    {
        lock (_lock)
        {
            return node is not null && _reports.TryGetValue(node, out var known) ? known.Report : null;
        }
    }

    public void Update(NodeReport report) => Change(report.Node, () =>
    {
        _reports[report.Node] = (report, Now);
        foreach (var model in report.Models)
        {
            _sent.Reported(report.Node, model.Id);
            _known[model.Id] = model;
            if (!_tables.ContainsKey(model.Id))
            {
                _tables[model.Id] = new RoutingTable { PullsKv = options.Value.PullsKv };
            }
        }

        return report.State == NodeState.Ready;
    });

    /// <summary>Notes that a node no longer reports. It gets no work until it does again.</summary>
    public void MarkLost(string node) => Change(node, () =>
    {
        if (_reports.TryGetValue(node, out var last))
        {
            _reports[node] = last with { Report = last.Report with { State = NodeState.Lost } };
        }

        return false;
    });

    /// <summary>Forgets a node that has left the cluster.</summary>
    public void Remove(string node) => Change(node, () =>
    {
        _reports.Remove(node);
        return false;
    });

    /// <summary>Cancelled once a node takes no more work: it drains, is lost, or hangs. Look then which it is.</summary>
    public CancellationToken WhileReady(string node)
    {
        lock (_lock)
        {
            if (!_reports.TryGetValue(node, out var known) || known.Report.State != NodeState.Ready)
            {
                return new CancellationToken(canceled: true);
            }

            if (!_ready.TryGetValue(node, out var ready))
            {
                _ready[node] = ready = new CancellationTokenSource();
            }

            return ready.Token;
        }
    }

    /// <summary>Chooses the node of a turn.</summary>
    /// <returns>The decision with its terms; null when no node can take it.</returns>
    internal PlacementDecision? Route(string model, RouteRequest request)
    {
        lock (_lock)
        {
            var now = Now;
            if (!_tables.TryGetValue(model, out var table) || _policy.Choose(table, request, now) is not (>= 0 and var chosen))
            {
                return null;
            }

            var node = table[chosen].Node;
            var others = request with { Excluded = new HashSet<string>(request.Excluded) { node } };
            var considered = new List<int> { chosen, table.IndexOf(request.Home), _policy.Choose(table, others, now) };
            return new PlacementDecision
            {
                At = time.GetUtcNow(),
                Reason = request.Reason,
                Policy = _policy.Name,
                Node = node,
                Home = request.Home,
                Possible = table.Count - request.Excluded.Count(excluded => table.IndexOf(excluded) >= 0),
                Considered =
                [
                    .. considered.Where(index => index >= 0).Distinct().Select(index => TtftPredictor.Predict(table, index, request, now)),
                ],
            };
        }
    }

    /// <summary>How long a turn waits, as far as is foreseen, on the node with the least to do before it; zero when none takes work.</summary>
    /// <param name="model">The model; null means whichever is served.</param>
    public TimeSpan ShortestQueue(string? model)
    {
        lock (_lock)
        {
            var least = _tables
                .Where(served => model is null || served.Key == model)
                .SelectMany(served => served.Value.Working)
                .Select(node => node.Queue)
                .DefaultIfEmpty(0)
                .Min();
            return TimeSpan.FromSeconds(Math.Min(least, MaxPredictedSeconds));
        }
    }

    /// <summary>What a model's nodes have to do, but for some of them.</summary>
    internal PoolLoad LoadOf(string model, IReadOnlyList<string> without)
    {
        lock (_lock)
        {
            return PoolLoad.From([.. Working(model).Where(node => !without.Contains(node.Node))]);
        }
    }

    /// <summary>How the sessions of a model are spread over the nodes that are ready.</summary>
    internal IReadOnlyList<NodeShare> Shares(string model)
    {
        lock (_lock)
        {
            return [.. Working(model).Select(node => new NodeShare(node.Node, node.Slots, node.Sessions))];
        }
    }

    /// <summary>
    /// Counts work that was sent to a node and that its reports may not show yet. So the answers of a node that was killed, which are
    /// placed within a moment, do not all go to the one that had the least to do before.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="model">The model.</param>
    /// <param name="kv">Seconds that having its prompt in the KV cache is foreseen to take there.</param>
    /// <returns>Dispose when the work is over.</returns>
    public IDisposable Reserve(string node, string model, double kv)
    {
        lock (_lock)
        {
            var isShort = _tables.TryGetValue(model, out var table) && table.IsShort(node, kv);
            var prompt = new InFlightPrompt(Now, isShort ? 0 : kv);
            _sent.Begin(node, model, prompt);
            UpdateTables(node);
            return new Reservation(() => End(prompt));
        }

        void End(InFlightPrompt prompt)
        {
            lock (_lock)
            {
                _sent.End(node, model, prompt);
                UpdateTables(node);
            }
        }
    }

    private IEnumerable<NodeEstimate> Working(string model) => _tables.TryGetValue(model, out var table) ? table.Working : [];

    /// <summary>A model that no node need serve now; what is told of it is what was known last.</summary>
    private ServedModel SleepingModel(string model)
    {
        lock (_lock)
        {
            return _known.GetValueOrDefault(model) ?? new ServedModel { Id = model, Description = "asleep", ContextTokens = 0, Defaults = new GenerationSettings() };
        }
    }

    private void Change(string node, Func<bool> change)
    {
        CancellationTokenSource? ended;
        lock (_lock)
        {
            ended = change() || !_ready.Remove(node, out var ready) ? null : ready;
            UpdateTables(node);
        }

        ended?.Cancel();
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();
    }

    /// <summary>Brings what the tables say of a node up to date.</summary>
    private void UpdateTables(string node)
    {
        var isKnown = _reports.TryGetValue(node, out var known);
        foreach (var (model, table) in _tables)
        {
            if (isKnown && known.Report.Models.FirstOrDefault(served => served.Id == model) is { } served)
            {
                var (sent, ended) = _sent.Count(node, model);
                table.Set(NodeEstimate.From(known.Report, served, sent, known.At, ended, _sent.Prompts(node, model, Now)));
            }
            else
            {
                table.Remove(node);
            }
        }
    }
}
