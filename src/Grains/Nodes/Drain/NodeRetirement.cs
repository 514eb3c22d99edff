using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Nodes.Drain;

/// <summary>
/// Empties this node while its process stays, so that whoever takes nodes away takes this one. It holds for as long as it is asked for
/// again; else the node serves again.
/// </summary>
/// <param name="host">The node.</param>
/// <param name="empty">Moves everything off it.</param>
/// <param name="time">What the lease is measured by.</param>
internal sealed class NodeRetirement(NodeHost host, Func<CancellationToken, Task> empty, TimeProvider time) : IDisposable
{
    /// <summary>Whoever asked may be gone.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private CancellationTokenSource? _ends;
    private ITimer? _lease;
    private Task _emptying = Task.CompletedTask;

    /// <summary>Begins, or goes on.</summary>
    /// <returns>Whether nothing is left here.</returns>
    /// <exception cref="HerdException">The node does something else that is not to be broken off.</exception>
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
            throw new HerdException(HerdError.Unavailable, $"The node is {state}; it cannot be emptied now. Try again later.");
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
