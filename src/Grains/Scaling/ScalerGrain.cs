using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Herd.Grains.Scaling;

/// <summary>Watches every pool with a <see cref="PoolScaler"/>, and has the nodes emptied that are to go.</summary>
[PreferLocalPlacement, Immovable, Reentrant]
internal sealed class ScalerGrain(
    NodeRegistry registry,
    Router router,
    IGrainFactory grains,
    IOptions<ScalingOptions> options,
    TimeProvider time,
    ILogger<ScalerGrain> logger)
    : Grain, IScalerGrain
{
    /// <summary>What a gateway said counts for so long.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, PoolScaler> _pools = options.Value.Pools.ToDictionary(
        pool => pool.Model, pool => new PoolScaler(pool, options.Value, time));

    private readonly Dictionary<string, (HeldTurns Held, long At)> _held = [];
    private bool _isRunning;

    public async Task<IReadOnlyList<PoolAdvice>> Advise(HeldTurns held)
    {
        _held[held.Gateway] = (held, time.GetTimestamp());
        foreach (var silent in _held.Where(said => time.GetElapsedTime(said.Value.At) > Memory).Select(said => said.Key).ToList())
        {
            _held.Remove(silent);
        }

        var there = registry.Nodes.Where(node => node.State != NodeState.Lost).Select(node => node.Node).ToHashSet();
        foreach (var (model, pool) in _pools)
        {
            pool.Observe(router.LoadOf(model, pool.Retiring) with { Held = _held.Values.Sum(said => said.Held.ByModel.GetValueOrDefault(model)) }, there);
        }

        if (!_isRunning)
        {
            _isRunning = true;
            try
            {
                foreach (var (model, pool) in _pools)
                {
                    await Retire(model, pool);
                }
            }
            finally
            {
                _isRunning = false;
            }
        }

        return [.. _pools.Values.Select(pool => pool.Advice)];
    }

    private async Task Retire(string model, PoolScaler pool)
    {
        try
        {
            if (pool.IsOneTooMany && await Cheapest(model, pool.Retiring) is { } node)
            {
                ScalerLog.Retires(logger, node.Node, model, node.Cost.Sessions, node.Cost.Bytes);
                pool.Retire(node.Node);
            }

            foreach (var retiring in pool.Retiring.ToList())
            {
                if (await grains.GetReachableGrain<INodeGrain>(retiring).Retire())
                {
                    pool.RecordEmpty(retiring);
                }
            }
        }
        catch (Exception e)
        {
            // It cannot be reached, or is of a version that cannot do this: it is asked again with the next round, or gone by then.
            ScalerLog.NotRetired(logger, model, e.GetType().Name);
        }
    }

    /// <summary>The node of a pool whose sessions are moved soonest.</summary>
    private async Task<(string Node, DrainPreview Cost)?> Cheapest(string model, IReadOnlyList<string> retiring)
    {
        var candidates = registry.Nodes.Where(node =>
            node.State == NodeState.Ready && node.Models.Any(served => served.Id == model) && !retiring.Contains(node.Node));
        var previews = await Task.WhenAll(candidates.Select(async node =>
            (node.Node, Cost: await grains.GetReachableGrain<INodeGrain>(node.Node).PreviewDrain(CancellationToken.None))));
        return previews.Length < 2 && options.Value.Pools.Single(pool => pool.Model == model).Min > 0
            ? null
            : previews.OrderBy(preview => preview.Cost.Seconds)
                .ThenBy(preview => preview.Cost.Streams + preview.Cost.Sessions)
                .ThenBy(preview => preview.Node, StringComparer.Ordinal)
                .Cast<(string, DrainPreview)?>()
                .FirstOrDefault();
    }
}

internal static partial class ScalerLog
{
    [LoggerMessage(EventId = 530, Level = LogLevel.Information, Message = "Node {Node} is one more than {Model} needs; its {Sessions} sessions ({Bytes} bytes) are moved")]
    public static partial void Retires(ILogger logger, string node, string model, int sessions, long bytes);

    [LoggerMessage(EventId = 531, Level = LogLevel.Debug, Message = "A node of {Model} could not be asked ({Kind}); it is asked again")]
    public static partial void NotRetired(ILogger logger, string model, string kind);
}
