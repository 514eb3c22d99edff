using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Scaling;

namespace Herd.Grains.Routing;

/// <summary>
/// The nodes of the cluster with their latest reports, and the models that they serve. It signals every change.
/// Thread-safe: <see cref="Lock"/> guards it, and guards what the <see cref="Router"/> derives from it.
/// </summary>
public sealed class NodeRegistry(Pools pools, TimeProvider time)
{
    private readonly SortedDictionary<string, ReceivedReport> _reports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ServedModel> _lastKnown = [];
    private readonly Dictionary<string, CancellationTokenSource> _ready = [];

    private Action<string, ReceivedReport?>? _onChange;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the next change after it was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>The latest report of every node, ordered by name.</summary>
    public IReadOnlyList<NodeReport> Nodes
    {
        get
        {
            lock (Lock)
            {
                return [.. _reports.Values.Select(received => received.Report)];
            }
        }
    }

    /// <summary>The models of nodes that are ready and of pools that sleep, ordered by id.</summary>
    public IReadOnlyList<ServedModel> Models =>
    [
        .. Nodes.Where(node => node.State == NodeState.Ready)
            .SelectMany(node => node.Models)
            .Concat(pools.MaySleep.Select(SleepingModel))
            .DistinctBy(model => model.Id)
            .OrderBy(model => model.Id, StringComparer.Ordinal),
    ];

    /// <summary>Seconds of the clock that reports are dated by.</summary>
    internal double Now => (double)time.GetTimestamp() / time.TimestampFrequency;

    internal Lock Lock { get; } = new();

    /// <summary>A node's latest report; null if the node is unknown.</summary>
    public NodeReport? Find(string? node) => FindReceived(node)?.Report;

    internal ReceivedReport? FindReceived(string? node)
    {
        lock (Lock)
        {
            return node is null ? null : _reports.GetValueOrDefault(node);
        }
    }

    /// <exception cref="HerdException">The node is unknown.</exception>
    public void ThrowIfUnknown(string node)
    {
        if (Find(node) is null)
        {
            throw RoutingErrors.UnknownNode(node);
        }
    }

    /// <summary>
    /// The markup of a model's answers: of the served model, else of the last known one of that id, else
    /// <see cref="AnswerMarkup.None"/>.
    /// </summary>
    public AnswerMarkup MarkupOf(string? model)
    {
        lock (Lock)
        {
            return _reports.Values
                .Where(received => received.Report.State == NodeState.Ready)
                .SelectMany(received => received.Report.Models)
                .FirstOrDefault(served => served.Id == model)?.Markup
                ?? (model is null ? null : _lastKnown.GetValueOrDefault(model)?.Markup) ?? AnswerMarkup.None;
        }
    }

    /// <summary>Records a node's report.</summary>
    public void Update(NodeReport report) => Change(report.Node, () =>
    {
        _reports[report.Node] = new ReceivedReport(report, Now);
        foreach (var model in report.Models)
        {
            _lastKnown[model.Id] = model;
        }
    });

    /// <summary>Records that a node no longer reports. It gets no work until it reports again.</summary>
    public void MarkLost(string node) => Change(node, () =>
    {
        if (_reports.TryGetValue(node, out var last))
        {
            _reports[node] = last with { Report = last.Report with { State = NodeState.Lost } };
        }
    });

    /// <summary>Removes a node that has left the cluster.</summary>
    public void Remove(string node) => Change(node, () => _reports.Remove(node));

    /// <summary>
    /// A token that is cancelled when the node is no longer ready: it drains, is lost, has left, or its engine hangs.
    /// <see cref="Find"/> says which.
    /// </summary>
    public CancellationToken WhileReady(string node)
    {
        lock (Lock)
        {
            if (!IsReady(node))
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

    /// <summary>
    /// Calls a handler under the lock for each node that is known, and after each change with the changed node.
    /// </summary>
    /// <param name="handler">Gets the node's name and latest report; null if the node was removed.</param>
    internal void Subscribe(Action<string, ReceivedReport?> handler)
    {
        lock (Lock)
        {
            _onChange += handler;
            foreach (var (node, received) in _reports)
            {
                handler(node, received);
            }
        }
    }

    private bool IsReady(string node) => _reports.GetValueOrDefault(node)?.Report.State == NodeState.Ready;

    private ServedModel SleepingModel(string model)
    {
        lock (Lock)
        {
            return _lastKnown.GetValueOrDefault(model) ?? new ServedModel
            {
                Id = model, Description = "asleep", ContextTokens = 0, Defaults = new GenerationSettings(),
            };
        }
    }

    private void Change(string node, Action change)
    {
        CancellationTokenSource? ended;
        lock (Lock)
        {
            change();
            ended = !IsReady(node) && _ready.Remove(node, out var ready) ? ready : null;
            _onChange?.Invoke(node, _reports.GetValueOrDefault(node));
        }

        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();
        ended?.Cancel();
    }
}

/// <summary>A report and the time of its arrival.</summary>
/// <param name="Report">The report.</param>
/// <param name="At">When it arrived, in seconds of the gateway's clock.</param>
internal sealed record ReceivedReport(NodeReport Report, double At);
