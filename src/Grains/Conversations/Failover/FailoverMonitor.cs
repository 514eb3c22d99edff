using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Routing;

namespace Herd.Grains.Conversations.Failover;

/// <summary>Watches the node of an answer and says when the answer must continue on another one.</summary>
internal sealed class FailoverMonitor(NodeRegistry registry, TurnRouter router)
{
    /// <summary>
    /// Completes with <see cref="AttemptStatus.NodeFailed"/> if the node is silent (killed or frozen), has left, or its
    /// engine hangs; with <see cref="AttemptStatus.NodeDraining"/> if it drains and another node can run the turn.
    /// </summary>
    public async Task<AttemptStatus> WaitUntilNodeUnusable(
        TurnContext context, string node, CancellationToken cancellation)
    {
        while (true)
        {
            await WaitUntilNotReady(node, cancellation);
            var changed = registry.Changed;
            switch (registry.Find(node)?.State)
            {
                case NodeState.Ready:
                    continue;
                case NodeState.Draining when router.CanRunElsewhere(context):
                    return AttemptStatus.NodeDraining;
                case NodeState.Draining:
                    await changed.WaitAsync(cancellation);
                    continue;
                default:
                    return AttemptStatus.NodeFailed;
            }
        }
    }

    private async Task WaitUntilNotReady(string node, CancellationToken cancellation)
    {
        var notReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var signal = registry.WhileReady(node).Register(notReady.SetResult);
        await notReady.Task.WaitAsync(cancellation);
    }
}
