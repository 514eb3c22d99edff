using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Grains.Hosting;
using Herd.Grains.Rebalancing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Routing;

/// <summary>
/// Chooses the node of a turn by the configured policy, and counts the turns that were sent to nodes and that their
/// reports do not show yet. Thread-safe, under the lock of the <see cref="NodeRegistry"/>.
/// </summary>
public sealed class Router
{
    /// <summary>The longest wait that is predicted, in seconds: a day.</summary>
    private const double MaxPredictedSeconds = 86_400;

    private readonly NodeRegistry _registry;
    private readonly RoutingOptions _options;
    private readonly TimeProvider _time;
    private readonly IRoutingPolicy _policy;
    private readonly Dictionary<string, RoutingTable> _tables = [];
    private readonly InFlightLoad _inFlight = new();

    public Router(NodeRegistry registry, IOptions<RoutingOptions> options, TimeProvider time)
    {
        (_registry, _options, _time, _policy) = (registry, options.Value, time, options.Value.ToPolicy());
        registry.Subscribe(OnReport);
    }

    /// <summary>Chooses the node of a turn.</summary>
    /// <returns>
    /// The node with the predictions for it, the home, and the best other node; null if no node can take the turn.
    /// </returns>
    internal PlacementDecision? Route(string model, RouteRequest request)
    {
        lock (_registry.Lock)
        {
            var now = _registry.Now;
            if (!_tables.TryGetValue(model, out var table)
                || _policy.Choose(table, request, now) is not (>= 0 and var chosen))
            {
                return null;
            }

            var node = table[chosen].Node;
            var others = request with { Excluded = new HashSet<string>(request.Excluded) { node } };
            var considered = new List<int> { chosen, table.IndexOf(request.Home), _policy.Choose(table, others, now) };
            return new PlacementDecision
            {
                At = _time.GetUtcNow(),
                Reason = request.Reason,
                Policy = _policy.Name,
                Node = node,
                Home = request.Home,
                Possible = table.Count - request.Excluded.Count(excluded => table.IndexOf(excluded) >= 0),
                Considered =
                [
                    .. considered.Where(index => index >= 0).Distinct()
                        .Select(index => TtftPredictor.Predict(table, index, request, now)),
                ],
            };
        }
    }

    /// <summary>
    /// Counts a turn as load of a node until it ends. Without that, all turns that are routed between two reports would
    /// go to the node that had the least load before, for example the answers of a node that was killed.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="model">The model.</param>
    /// <param name="kv">Predicted seconds until the node has the prompt in its KV cache.</param>
    /// <param name="sent">The prompt; null if none is computed.</param>
    /// <returns>To be disposed when the turn ends.</returns>
    internal IDisposable Reserve(string node, string model, double kv, SentPrompt? sent = null)
    {
        lock (_registry.Lock)
        {
            var isShort = _tables.TryGetValue(model, out var table) && table.IsShort(node, kv);
            var prompt = new InFlightPrompt(_registry.Now, isShort ? 0 : kv, sent);
            _inFlight.Begin(node, model, prompt);
            UpdateTables(node, _registry.FindReceived(node));
            return new DisposeAction(() => End(prompt));
        }

        void End(InFlightPrompt prompt)
        {
            lock (_registry.Lock)
            {
                _inFlight.End(node, model, prompt);
                UpdateTables(node, _registry.FindReceived(node));
            }
        }
    }

    /// <summary>
    /// The wait that a prompt has for certain before it is computed, on the node where it is shortest; zero if no node
    /// takes work, or if one does not report its queues.
    /// </summary>
    /// <param name="model">The model; null means any served model.</param>
    /// <param name="tenant">The tenant's name.</param>
    /// <param name="priority">The priority class.</param>
    /// <param name="characters">The characters of the prompt that no KV cache has.</param>
    public TimeSpan MinWait(string? model, string tenant, TurnPriority priority, int characters)
    {
        lock (_registry.Lock)
        {
            var now = _registry.Now;
            var shortest = _tables
                .Where(served => model is null || served.Key == model)
                .SelectMany(served => served.Value.Working)
                .Select(node => node.Backlog?.MinSeconds(tenant, priority, characters, now) ?? 0)
                .DefaultIfEmpty(0)
                .Min();
            return TimeSpan.FromSeconds(Math.Min(shortest, MaxPredictedSeconds));
        }
    }

    /// <summary>The load of a model's nodes that take work, without some of them.</summary>
    internal PoolLoad LoadOf(string model, IReadOnlyList<string> without)
    {
        lock (_registry.Lock)
        {
            return PoolLoad.From([.. Working(model).Where(node => !without.Contains(node.Node))]);
        }
    }

    /// <summary>The sessions of a model on each node that takes work.</summary>
    internal IReadOnlyList<NodeShare> Shares(string model)
    {
        lock (_registry.Lock)
        {
            return [.. Working(model).Select(node => new NodeShare(node.Node, node.Slots, node.Sessions))];
        }
    }

    private IEnumerable<NodeEstimate> Working(string model) =>
        _tables.TryGetValue(model, out var table) ? table.Working : [];

    private void OnReport(string node, ReceivedReport? received)
    {
        foreach (var model in received?.Report.Models ?? [])
        {
            _inFlight.Reported(node, model.Id);
            if (!_tables.ContainsKey(model.Id))
            {
                _tables[model.Id] = new RoutingTable { PullsKv = _options.PullsKv };
            }
        }

        UpdateTables(node, received);
    }

    private void UpdateTables(string node, ReceivedReport? received)
    {
        foreach (var (model, table) in _tables)
        {
            if (received?.Report.Models.FirstOrDefault(served => served.Id == model) is { } served)
            {
                var (sent, ended) = _inFlight.Count(node, model);
                var prompts = _inFlight.Prompts(node, model, _registry.Now);
                var unreported = _inFlight.Unreported(node, model, received.At - (served.Figures?.Age ?? 0));
                table.Set(NodeEstimate.From(received.Report, served, sent, received.At, ended, prompts, unreported));
            }
            else
            {
                table.Remove(node);
            }
        }
    }
}
