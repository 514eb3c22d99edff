using Herd.Contracts.Nodes;

namespace Herd.Grains.Scaling;

/// <summary>
/// One pool's size over time. More nodes are asked for at once. Before fewer are, those whose sessions move soonest are emptied: they are
/// not ready then, and of a ReplicaSet's pods those that are not ready go first.
/// </summary>
internal sealed class PoolScaler(PoolOptions pool, ScalingOptions options, TimeProvider time)
{
    /// <summary>Empty nodes that nobody takes away by then serve again: nobody scales this pool, or its floor is higher.</summary>
    private static readonly TimeSpan MostEmpty = TimeSpan.FromMinutes(5);

    /// <summary>How long no node is emptied after that.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(30);

    private readonly ScaleWindow _window = new(options.ScaleDownDelay, time);
    private readonly long _begun = time.GetTimestamp();
    private readonly List<string> _retiring = [];
    private readonly HashSet<string> _empty = [];
    private PoolLoad? _load;
    private int _wanted;
    private long? _allEmptySince;
    private long? _givenUpAt;

    /// <summary>The nodes that are to be empty.</summary>
    public IReadOnlyList<string> Retiring => _retiring;

    /// <summary>Whether one more node is to be emptied, once those that are retiring are empty.</summary>
    public bool IsOneTooMany => _load is { } load && _allEmptySince is null && _wanted < load.Ready
        && _retiring.Count < Batch(load) && _empty.Count == _retiring.Count
        && (_givenUpAt is not { } at || time.GetElapsedTime(at) > Rest);

    public PoolAdvice Advice => _load is not { } load ? throw new InvalidOperationException("Nothing was observed.") : new PoolAdvice
    {
        Model = pool.Model,
        Wanted = Math.Max(_wanted, load.Ready + (_allEmptySince is null ? _retiring.Count : 0)),
        Ready = load.Ready,
        Ttft = load.Ttft(pool.PromptTokens),
        TargetTtft = pool.TargetTtft.TotalSeconds,
        SlotUse = load.Slots == 0 ? 0 : (double)load.Sequences / load.Slots,
        Held = load.Held,
        Retiring = [.. _retiring],
    };

    /// <summary>Takes note of how the pool is.</summary>
    /// <param name="load">What it has to do, but for the nodes that are retiring.</param>
    /// <param name="there">The nodes of the cluster.</param>
    public void Observe(PoolLoad load, IReadOnlyCollection<string> there)
    {
        _load = load;
        _wanted = _window.Add(ScalePolicy.Wanted(load, pool, options));
        if (time.GetElapsedTime(_begun) < options.ScaleDownDelay)
        {
            // Who has just begun knows nothing of the past, and keeps what there is.
            _wanted = Math.Max(_wanted, load.Ready);
        }

        _retiring.RemoveAll(node => !there.Contains(node));
        _empty.IntersectWith(_retiring);
        if (_retiring.Count == 0)
        {
            _allEmptySince = null;
        }
        else if (_wanted > load.Ready)
        {
            Keep();
        }
        else if (_allEmptySince is { } since && time.GetElapsedTime(since) > MostEmpty)
        {
            _givenUpAt = time.GetTimestamp();
            Keep();
        }
    }

    public void Retire(string node) => _retiring.Add(node);

    /// <summary>Notes that nothing is left on a node.</summary>
    public void RecordEmpty(string node)
    {
        _empty.Add(node);
        if (_allEmptySince is null && _empty.Count == _retiring.Count && !IsOneTooMany)
        {
            _allEmptySince = time.GetTimestamp();
        }
    }

    private void Keep()
    {
        _retiring.Clear();
        _empty.Clear();
        _allEmptySince = null;
    }

    /// <summary>So many that Kubernetes' autoscaler does not take the change for noise.</summary>
    private int Batch(PoolLoad load) => ScalePolicy.LeastStep(load.Ready + _retiring.Count);
}
