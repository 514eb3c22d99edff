using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace Herd.Grains.Scaling;

/// <summary>Sizes every pool with a <see cref="PoolScaler"/>, and has the surplus nodes emptied.</summary>
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
    /// <summary>The time for which a gateway's report counts.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, PoolScaler> _pools = options.Value.Pools.ToDictionary(
        pool => pool.Model, pool => new PoolScaler(pool, options.Value, time));

    private readonly Dictionary<string, (HeldTurns Held, long At)> _held = [];
    private bool _isRunning;

    public async Task<IReadOnlyList<PoolAdvice>> Advise(HeldTurns turns)
    {
        _held[turns.Gateway] = (turns, time.GetTimestamp());
        foreach (var (gateway, _) in _held.Where(report => time.GetElapsedTime(report.Value.At) > Memory).ToList())
        {
            _held.Remove(gateway);
        }

        var present = registry.Nodes.Where(node => node.State != NodeState.Lost).Select(node => node.Node).ToHashSet();
        foreach (var (model, pool) in _pools)
        {
            var held = _held.Values.Sum(report => report.Held.ByModel.GetValueOrDefault(model));
            pool.Observe(router.LoadOf(model, pool.Retiring) with { Held = held }, present);
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
                ScalerLog.Retires(logger, model, node.Node, node.Cost.Sessions, node.Cost.Bytes);
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
            // The node cannot be reached, or its version has no such call. The next round calls it again if it is still
            // there.
            ScalerLog.NotRetired(logger, model, e.GetType().Name);
        }
    }

    /// <summary>The node of a pool whose sessions take the least time to migrate.</summary>
    private async Task<(string Node, DrainPreview Cost)?> Cheapest(string model, IReadOnlyList<string> retiring)
    {
        var candidates = registry.Nodes.Where(node =>
            node.State == NodeState.Ready && node.Models.Any(served => served.Id == model)
                && !retiring.Contains(node.Node));
        var previews = await Task.WhenAll(candidates.Select(async node =>
        {
            var grain = grains.GetReachableGrain<INodeGrain>(node.Node);
            return (node.Node, Cost: await grain.PreviewDrain(CancellationToken.None));
        }));
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
    [LoggerMessage(
        EventId = 530,
        Level = LogLevel.Information,
        Message = "The pool of {Model} has a node more than it needs. {Node} is emptied: {Sessions} sessions, "
            + "{Bytes} bytes")]
    public static partial void Retires(ILogger logger, string model, string node, int sessions, long bytes);

    [LoggerMessage(
        EventId = 531,
        Level = LogLevel.Debug,
        Message = "A node of {Model} could not be emptied ({Kind}). The scaler tries again.")]
    public static partial void NotRetired(ILogger logger, string model, string kind);
}
