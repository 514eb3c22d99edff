namespace Herd.Grains.Routing;

/// <summary>
/// The outlook of every node that serves a model. What a decision reads of every node stands in arrays of its own, so that it
/// takes about a microsecond for a thousand of them. Not thread-safe: <see cref="ClusterView"/> guards it.
/// </summary>
internal sealed class RoutingTable
{
    private readonly Dictionary<string, int> _places = [];
    private readonly Dictionary<ulong, HashSet<string>> _prefixes = [];
    private NodeOutlook[] _nodes = [];
    private double[] _waits = [];
    private double[] _perToken = [];
    private double[] _perShortPrompt = [];
    private double[] _pullWaits = [];
    private double[] _perByte = [];
    private double[] _reportedAt = [];
    private int[] _sessions = [];
    private double[] _scratch = [];

    /// <summary>Whether KV caches are brought from other nodes. Default true.</summary>
    public bool BringsKv { get; init; } = true;

    public int Count { get; private set; }

    public NodeOutlook this[int place] => _nodes[place];

    /// <summary>Queueing and crowding; infinite where no turns are taken.</summary>
    public ReadOnlySpan<double> Waits => _waits.AsSpan(0, Count);

    public ReadOnlySpan<double> PerToken => _perToken.AsSpan(0, Count);

    public ReadOnlySpan<double> PerShortPrompt => _perShortPrompt.AsSpan(0, Count);

    public ReadOnlySpan<double> PullWaits => _pullWaits.AsSpan(0, Count);

    public ReadOnlySpan<double> PerPulledByte => _perByte.AsSpan(0, Count);

    public ReadOnlySpan<double> ReportedAt => _reportedAt.AsSpan(0, Count);

    public ReadOnlySpan<int> Sessions => _sessions.AsSpan(0, Count);

    /// <summary>Room for a number of each node.</summary>
    public Span<double> Scratch => _scratch.AsSpan(0, Count);

    /// <summary>The nodes that take turns.</summary>
    public IEnumerable<NodeOutlook> Working => _nodes.Take(Count).Where(node => node.TakesWork);

    /// <summary>Where a node stands; -1 when it does not serve the model.</summary>
    public int PlaceOf(string? node) => node is not null && _places.TryGetValue(node, out var place) ? place : -1;

    /// <summary>The nodes where something begins so.</summary>
    public IReadOnlyCollection<string> NodesWith(ulong prefix) =>
        prefix != 0 && _prefixes.TryGetValue(prefix, out var nodes) ? nodes : [];

    public bool IsPossible(int place, RouteRequest request) =>
        _nodes[place].TakesWork && (request.Excluded.Count == 0 || !request.Excluded.Contains(_nodes[place].Node));

    /// <summary>Whether what a prompt is foreseen to take on a node is what a short one takes there. Short ones share steps, whatever their number.</summary>
    public bool IsShort(string node, double seconds) =>
        PlaceOf(node) is >= 0 and var place && _perShortPrompt[place] is < double.PositiveInfinity and var brief && seconds <= brief;

    /// <summary>Adds a node, or takes note of what is new of it.</summary>
    public void Set(NodeOutlook outlook)
    {
        if (!_places.TryGetValue(outlook.Node, out var place))
        {
            Grow();
            _places[outlook.Node] = place = Count++;
            List(outlook);
        }
        else if (!ReferenceEquals(_nodes[place].Prefixes, outlook.Prefixes))
        {
            Unlist(_nodes[place]);
            List(outlook);
        }

        Put(place, outlook);
    }

    public void Remove(string node)
    {
        if (!_places.Remove(node, out var place))
        {
            return;
        }

        Unlist(_nodes[place]);
        if (place != --Count)
        {
            Put(place, _nodes[Count]);
            _places[_nodes[place].Node] = place;
        }

        _nodes[Count] = null!;
    }

    private void Put(int place, NodeOutlook outlook)
    {
        _nodes[place] = outlook;
        _waits[place] = outlook.TakesWork ? outlook.Queue + outlook.Crowding : double.PositiveInfinity;
        _perToken[place] = outlook.PerToken;
        _perShortPrompt[place] = outlook.PerShortPrompt;
        _pullWaits[place] = outlook.PullWait;
        _perByte[place] = outlook.PerPulledByte;
        _reportedAt[place] = outlook.ReportedAt;
        _sessions[place] = outlook.Sessions;
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

    private void List(NodeOutlook outlook)
    {
        foreach (var prefix in outlook.Prefixes)
        {
            if (!_prefixes.TryGetValue(prefix, out var nodes))
            {
                _prefixes[prefix] = nodes = [];
            }

            nodes.Add(outlook.Node);
        }
    }

    private void Unlist(NodeOutlook outlook)
    {
        foreach (var prefix in outlook.Prefixes)
        {
            if (_prefixes.TryGetValue(prefix, out var nodes) && nodes.Remove(outlook.Node) && nodes.Count == 0)
            {
                _prefixes.Remove(prefix);
            }
        }
    }
}
