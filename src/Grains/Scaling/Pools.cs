using System.Collections.Concurrent;
using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Scaling;

/// <summary>The configured pools, and the turns that this gateway holds until a pool has a node. Thread-safe.</summary>
public sealed class Pools(IOptions<ScalingOptions> options)
{
    private readonly ConcurrentDictionary<string, int> _held = new();

    /// <summary>No pools.</summary>
    public static Pools None => new(Options.Create(new ScalingOptions()));

    /// <summary>The number of held turns, by model.</summary>
    public IReadOnlyDictionary<string, int> Held => new Dictionary<string, int>(_held.Where(pair => pair.Value > 0));

    /// <summary>The models of pools that may have no node.</summary>
    public IEnumerable<string> MaySleep => options.Value.Pools.Where(pool => pool.Min == 0).Select(pool => pool.Model);

    /// <summary>The time for which a turn of a model is held; null means the usual time.</summary>
    internal TimeSpan? MaxHold(string model) => MaySleep.Contains(model) ? options.Value.WakeTimeout : null;

    /// <summary>Counts a held turn.</summary>
    /// <returns>To be disposed when the turn has a node or gives up.</returns>
    internal IDisposable Hold(string model)
    {
        _held.AddOrUpdate(model, 1, (_, count) => count + 1);
        return new DisposeAction(() => _held.AddOrUpdate(model, 0, (_, count) => count - 1));
    }
}
