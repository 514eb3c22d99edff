using Microsoft.Extensions.Hosting;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// The time in which a process leaves the cluster: from the end of its drain on. It is added after the silo, so the
/// host stops it before. Thread-safe.
/// </summary>
internal sealed class Departure(TimeProvider time) : IHostedService, IDisposable
{
    /// <summary>
    /// The rest of the time of a process that leaves without the store. Orleans has more to write there, and cannot.
    /// </summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _limit = new();
    private ITimer? _timer;

    /// <summary>True from the end of the drain on.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Cancelled when the silo shall stop at once.</summary>
    public CancellationToken Limit => _limit.Token;

    /// <summary>The store does not respond, so the process ends soon.</summary>
    public void EndSoon() =>
        _timer = time.CreateTimer(_ => _limit.Cancel(), state: null, Rest, Timeout.InfiniteTimeSpan);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        HasBegun = true;
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _limit.Dispose();
    }
}
