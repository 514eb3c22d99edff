namespace Herd.Grains.Routing;

/// <summary>
/// The estimates of the nodes that serve a model. The fields that a decision reads of every node are in arrays of their
/// own, so that a decision among a thousand nodes takes about a microsecond. Not thread-safe: the <see cref="Router"/>
/// guards it.
/// </summary>
internal sealed class RoutingTable
{
    private readonly Dictionary<string, int> _indices = [];
    private readonly Dictionary<ulong, HashSet<string>> _prefixes = [];
    private NodeEstimate[] _nodes = [];
    private double[] _waits = [];
    private double[] _perToken = [];
    private double[] _perShortPrompt = [];
    private double[] _pullWaits = [];
    private double[] _perByte = [];
    private double[] _reportedAt = [];
    private int[] _sessions = [];
    private double[] _scratch = [];

    /// <summary>True if KV caches may be pulled from other nodes. Default true.</summary>
    public bool PullsKv { get; init; } = true;

    public int Count { get; private set; }

    public NodeEstimate this[int index] => _nodes[index];

    /// <summary>Queue and decode contention, in seconds; infinite for a node that takes no turns.</summary>
    public ReadOnlySpan<double> Waits => _waits.AsSpan(0, Count);

    public ReadOnlySpan<double> PerToken => _perToken.AsSpan(0, Count);

    public ReadOnlySpan<double> PerShortPrompt => _perShortPrompt.AsSpan(0, Count);

    public ReadOnlySpan<double> PullWaits => _pullWaits.AsSpan(0, Count);

    public ReadOnlySpan<double> PerPulledByte => _perByte.AsSpan(0, Count);

    public ReadOnlySpan<double> ReportedAt => _reportedAt.AsSpan(0, Count);

    public ReadOnlySpan<int> Sessions => _sessions.AsSpan(0, Count);

    /// <summary>A buffer with a number for each node, for policies.</summary>
    public Span<double> Scratch => _scratch.AsSpan(0, Count);

    /// <summary>The nodes that take turns.</summary>
    public IEnumerable<NodeEstimate> Working => _nodes.Take(Count).Where(node => node.TakesWork);

    /// <summary>A node's index; -1 if it does not serve the model.</summary>
    public int IndexOf(string? node) => node is not null && _indices.TryGetValue(node, out var index) ? index : -1;

    /// <summary>The nodes with a KV cache that begins with this prefix.</summary>
    public IReadOnlyCollection<string> NodesWith(ulong prefix) =>
        prefix != 0 && _prefixes.TryGetValue(prefix, out var nodes) ? nodes : [];

    public bool IsPossible(int index, RouteRequest request) =>
        _nodes[index].TakesWork && (request.Excluded.Count == 0 || !request.Excluded.Contains(_nodes[index].Node));

    /// <summary>
    /// True if the predicted prefill is that of a short prompt. Short prompts share a step, so they add no queueing
    /// time.
    /// </summary>
    public bool IsShort(string node, double seconds) =>
        IndexOf(node) is >= 0 and var index && _perShortPrompt[index] is < double.PositiveInfinity and var brief
            && seconds <= brief;

    /// <summary>Adds a node, or replaces its estimate.</summary>
    public void Set(NodeEstimate estimate)
    {
        if (!_indices.TryGetValue(estimate.Node, out var index))
        {
            Grow();
            _indices[estimate.Node] = index = Count++;
            AddPrefixes(estimate);
        }
        else if (!ReferenceEquals(_nodes[index].Prefixes, estimate.Prefixes))
        {
            RemovePrefixes(_nodes[index]);
            AddPrefixes(estimate);
        }

        Put(index, estimate);
    }

    public void Remove(string node)
    {
        if (!_indices.Remove(node, out var index))
        {
            return;
        }

        RemovePrefixes(_nodes[index]);
        if (index != --Count)
        {
            Put(index, _nodes[Count]);
            _indices[_nodes[index].Node] = index;
        }

        _nodes[Count] = null!;
    }

    private void Put(int index, NodeEstimate estimate)
    {
        _nodes[index] = estimate;
        _waits[index] = estimate.TakesWork ? estimate.Queue + estimate.DecodeContention : double.PositiveInfinity;
        _perToken[index] = estimate.PerToken;
        _perShortPrompt[index] = estimate.PerShortPrompt;
        _pullWaits[index] = estimate.PullWait;
        _perByte[index] = estimate.PerPulledByte;
        _reportedAt[index] = estimate.ReportedAt;
        _sessions[index] = estimate.Sessions;
    }

    private void Grow()
    {
        if (Count == _nodes.Length)
        {
            var size = Math.Max(16, 2 * Count);
            Array.Resize(ref _nodes, size);
            Array.Resize(ref _waits, size);
            Array.Resize(ref _perToken, size);
            Array.Resize(ref _perShortPrompt, size);
            Array.Resize(ref _pullWaits, size);
            Array.Resize(ref _perByte, size);
            Array.Resize(ref _reportedAt, size);
            Array.Resize(ref _sessions, size);
            _scratch = new double[size];
        }
    }

    private void AddPrefixes(NodeEstimate estimate)
    {
        foreach (var prefix in estimate.Prefixes)
        {
            if (!_prefixes.TryGetValue(prefix, out var nodes))
            {
                _prefixes[prefix] = nodes = [];
            }

            nodes.Add(estimate.Node);
        }
    }

    private void RemovePrefixes(NodeEstimate estimate)
    {
        foreach (var prefix in estimate.Prefixes)
        {
            if (_prefixes.TryGetValue(prefix, out var nodes) && nodes.Remove(estimate.Node) && nodes.Count == 0)
            {
                _prefixes.Remove(prefix);
            }
        }
    }
}
