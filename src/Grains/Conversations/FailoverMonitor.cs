using Herd.Contracts.Nodes;
using Herd.Contracts.Placements;
using Herd.Grains.Routing;

namespace Herd.Grains.Conversations;

/// <summary>Tells when an answer in the making should go on at another node.</summary>
internal static class FailoverMonitor
{
    /// <summary>
    /// Completes when a node is no longer heard of, or hangs; or when it drains and there is another that takes the turn.
    /// </summary>
    public static async Task<PlacementReason> WaitUntilNodeUnusable(
        ClusterView view, string node, Func<bool> isElsewhere, CancellationToken cancellation)
    {
        while (true)
        {
            await WaitUntilNotReady(view, node, cancellation);
            var changed = view.Changed;
            switch (view.Find(node)?.State)
            {
                case NodeState.Ready:
                    continue;
                case NodeState.Draining when isElsewhere():
                    return PlacementReason.NodeDrains;
                case NodeState.Draining:
                    await changed.WaitAsync(cancellation);
                    continue;
                default:
                    return PlacementReason.NodeFailed;
            }
        }
    }

    private static async Task WaitUntilNotReady(ClusterView view, string node, CancellationToken cancellation)
    {
        var notReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var signal = view.WhileReady(node).Register(notReady.SetResult);
        await notReady.Task.WaitAsync(cancellation);
    }
}
