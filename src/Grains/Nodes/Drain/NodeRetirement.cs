using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Nodes.Drain;

/// <summary>
/// Empties this node while its process stays, so that an autoscaler removes this node first. The node serves again if
/// the scaler stops renewing the retirement.
/// </summary>
/// <param name="host">The node.</param>
/// <param name="empty">Migrates all sessions of the node.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeRetirement(NodeHost host, Func<CancellationToken, Task> empty, TimeProvider time)
    : IDisposable
{
    /// <summary>The time after the last renewal at which the node serves again.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private CancellationTokenSource? _ends;
    private ITimer? _lease;
    private Task _emptying = Task.CompletedTask;

    /// <summary>Begins the retirement, or renews it.</summary>
    /// <returns>True if the node is empty.</returns>
    /// <exception cref="HerdException">The node loads or drains for another reason.</exception>
    public bool Renew()
    {
        lock (_lock)
        {
            if (_ends is null)
            {
                Begin();
            }

            _lease!.Change(Lease, Timeout.InfiniteTimeSpan);
            return _emptying.IsCompleted;
        }
    }

    public void Dispose()
    {
        _lease?.Dispose();
        _ends?.Dispose();
    }

    private void Begin()
    {
        if (host.Report().State is not NodeState.Ready and var state)
        {
            throw new HerdException(
                HerdError.Unavailable, $"The node is {state} and cannot be emptied now. Try again later.");
        }

        _ends = new CancellationTokenSource();
        host.BeginDrain();
        _emptying = empty(_ends.Token);
        _lease = time.CreateTimer(_ => End(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private void End()
    {
        lock (_lock)
        {
            _ends!.Cancel();
            _ends.Dispose();
            _ends = null;
            _lease!.Dispose();
        }

        host.CancelDrain();
    }
}
