using System.Collections.Concurrent;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Routing;

/// <summary>The nodes as this gateway knows them: their latest reports, and what it has sent them since. Thread-safe.</summary>
public sealed class ClusterView
{
    private readonly ConcurrentDictionary<string, NodeReport> _reports = new();
    private readonly ConcurrentDictionary<(string Node, string Model), int> _reserved = new();

    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when something is known that was not when this was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>The latest report of every node, by name.</summary>
    public IReadOnlyList<NodeReport> Nodes => [.. _reports.Values.OrderBy(report => report.Node, StringComparer.Ordinal)];

    /// <summary>The models served by nodes that are ready, by id.</summary>
    public IReadOnlyList<ServedModel> Models =>
    [
        .. Nodes.Where(node => node.State == NodeState.Ready)
            .SelectMany(node => node.Models)
            .DistinctBy(model => model.Id)
            .OrderBy(model => model.Id, StringComparer.Ordinal),
    ];

    /// <summary>The ids of <see cref="Models"/>, for errors.</summary>
    public string ModelNames => string.Join(", ", Models.Select(model => model.Id));

    /// <summary>What whoever asks for a model that no node serves is told.</summary>
    public HerdException NotServed(string model) => new(
        HerdError.ModelNotFound, $"No node serves the model '{model}'. Served: {ModelNames}.", "model");

    public void Update(NodeReport report)
    {
        _reports[report.Node] = report;
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult();
    }

    /// <summary>Notes that a node no longer reports. It gets no work until it does again.</summary>
    public void Lose(string node)
    {
        if (_reports.TryGetValue(node, out var last))
        {
            _reports.TryUpdate(node, last with { State = NodeState.Lost }, last);
        }
    }

    /// <summary>Forgets a node that has left the cluster.</summary>
    public void Remove(string node) => _reports.TryRemove(node, out _);

    /// <summary>What the router decides from.</summary>
    public IReadOnlyList<Candidate> Candidates(string model) =>
    [
        .. from report in Nodes
           from served in report.Models
           where served.Id == model && report.State == NodeState.Ready
           select new Candidate(
               report.Node,
               Math.Max(served.Active + served.Queued, _reserved.GetValueOrDefault((report.Node, model))),
               served.Sessions),
    ];

    /// <summary>Counts work that was sent to a node and that its reports may not show yet.</summary>
    /// <returns>Dispose when the work is over.</returns>
    public IDisposable Reserve(string node, string model)
    {
        _reserved.AddOrUpdate((node, model), 1, (_, count) => count + 1);
        return new Reservation(() => _reserved.AddOrUpdate((node, model), 0, (_, count) => count - 1));
    }

    private sealed class Reservation(Action release) : IDisposable
    {
        private Action? _release = release;

        public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
    }
}
