using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;

namespace Herd.Gateway.Grpc;

/// <summary>Has nodes exchange their models.</summary>
internal sealed class ModelLoads(NodeRegistry registry, IGrainFactory grains)
{
    /// <summary>Begins a load and waits until the node accepts the file. Its drain has begun then.</summary>
    /// <param name="node">The node's latest report.</param>
    /// <param name="model">The model; empty for none.</param>
    /// <param name="cancellation">Ends the wait; the node goes on.</param>
    /// <returns>The load; null if the node is of a version that does not report loads.</returns>
    /// <exception cref="HerdException">
    /// The node refuses, the file fails its check, or the node is lost. Then nothing was drained.
    /// </exception>
    public async Task<ModelLoad?> Begin(NodeReport node, string model, CancellationToken cancellation)
    {
        await grains.GetReachableGrain<INodeGrain>(node.Node).Serve(model);
        while (true)
        {
            var changed = registry.Changed;
            var now = registry.Find(node.Node);
            if (now is null or { State: NodeState.Lost } || now.ProcessId != node.ProcessId)
            {
                throw new HerdException(
                    HerdError.Unavailable, $"The node '{node.Node}' was lost while it checked the file. Read its log.");
            }

            if (now.Load is null || node.Load is null)
            {
                return null;
            }

            if (now.Load.Number > node.Load.Number && now.Load.Stage != LoadStage.Checking)
            {
                return now.Load is { Stage: LoadStage.Failed, Failure: { } failure }
                    ? throw new HerdException(HerdError.InvalidArgument, failure, "model")
                    : now.Load;
            }

            await changed.WaitAsync(cancellation);
        }
    }
}
