using Herd.Contracts.Nodes;

namespace Herd.Grains.Scaling;

/// <summary>
/// Sizes one pool. More nodes are requested at once. Before fewer are requested, the surplus nodes are emptied and are
/// then not ready; a ReplicaSet deletes unready pods first.
/// </summary>
internal sealed class PoolScaler(PoolOptions pool, ScalingOptions options, TimeProvider time)
{
    /// <summary>
    /// The time after which empty nodes that were not removed serve again: the pool is not scaled, or has a higher
    /// minimum.
    /// </summary>
    private static readonly TimeSpan MaxEmptyTime = TimeSpan.FromMinutes(5);

    /// <summary>The time after that in which no node is emptied.</summary>
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMinutes(30);

    private readonly ScaleWindow _window = new(options.ScaleDownDelay, time);
    private readonly long _begun = time.GetTimestamp();
    private readonly List<string> _retiring = [];
    private readonly HashSet<string> _empty = [];
    private PoolLoad? _load;
    private int _wanted;
    private long? _allEmptySince;
    private long? _givenUpAt;

    /// <summary>The nodes that are being emptied or are empty.</summary>
    public IReadOnlyList<string> Retiring => _retiring;

    /// <summary>True if one more node should be emptied now.</summary>
    public bool IsOneTooMany => _load is { } load && _allEmptySince is null && _wanted < load.Ready
        && _retiring.Count < Batch(load) && _empty.Count == _retiring.Count
        && (_givenUpAt is not { } at || time.GetElapsedTime(at) > RetryDelay);

    public PoolAdvice Advice => _load is not { } load
        ? throw new InvalidOperationException("Observe was not called yet.")
        : new PoolAdvice
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

    /// <summary>Updates the pool's state.</summary>
    /// <param name="load">The load of the pool without the retiring nodes.</param>
    /// <param name="present">The names of the nodes in the cluster.</param>
    public void Observe(PoolLoad load, IReadOnlyCollection<string> present)
    {
        _load = load;
        _wanted = _window.Add(ScalePolicy.Wanted(load, pool, options));
        if (time.GetElapsedTime(_begun) < options.ScaleDownDelay)
        {
            // A scaler that has just started does not know the past load, so it keeps the present size.
            _wanted = Math.Max(_wanted, load.Ready);
        }

        _retiring.RemoveAll(node => !present.Contains(node));
        _empty.IntersectWith(_retiring);
        if (_retiring.Count == 0)
        {
            _allEmptySince = null;
        }
        else if (_wanted > load.Ready)
        {
            Keep();
        }
        else if (_allEmptySince is { } since && time.GetElapsedTime(since) > MaxEmptyTime)
        {
            _givenUpAt = time.GetTimestamp();
            Keep();
        }
    }

    public void Retire(string node) => _retiring.Add(node);

    /// <summary>Records that a node is empty.</summary>
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

    /// <summary>The smallest change that Kubernetes' autoscaler does not ignore.</summary>
    private int Batch(PoolLoad load) => ScalePolicy.MinStep(load.Ready + _retiring.Count);
}
