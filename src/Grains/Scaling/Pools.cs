using System.Collections.Concurrent;
using Herd.Grains.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Scaling;

/// <summary>The pools there are, and the turns that wait here for a node of theirs. Thread-safe.</summary>
public sealed class Pools(IOptions<ScalingOptions> options)
{
    private readonly ConcurrentDictionary<string, int> _held = new();

    /// <summary>For what has no pools.</summary>
    public static Pools None => new(Options.Create(new ScalingOptions()));

    /// <summary>How many turns wait, by model.</summary>
    public IReadOnlyDictionary<string, int> Held => new Dictionary<string, int>(_held.Where(pair => pair.Value > 0));

    /// <summary>Models whose pools may be without a node; that is no failure.</summary>
    public IEnumerable<string> MaySleep => options.Value.Pools.Where(pool => pool.Min == 0).Select(pool => pool.Model);

    /// <summary>How long a turn waits for a node of a model where there is none; null means as long as any.</summary>
    internal TimeSpan? Patience(string model) => MaySleep.Contains(model) ? options.Value.WakeTimeout : null;

    /// <summary>Counts a turn that waits for a node.</summary>
    /// <returns>Dispose when it waits no more.</returns>
    internal IDisposable Hold(string model)
    {
        _held.AddOrUpdate(model, 1, (_, count) => count + 1);
        return new ReleaseOnDispose(() => _held.AddOrUpdate(model, 0, (_, count) => count - 1));
    }
}
