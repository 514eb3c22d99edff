using System.Runtime.CompilerServices;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;
using Herd.Grains.Placement;
using Orleans.GrainDirectory;
using Orleans.Placement;

namespace Herd.Grains.Nodes;

/// <summary>The GPU node as the cluster sees it.</summary>
[NodePlacement, GrainDirectory(NodeGrainDirectory.Name), Immovable]
internal sealed class NodeGrain(NodeHost host, TimeProvider time) : Grain, INodeGrain
{
    public async IAsyncEnumerable<NodeReport> Reports([EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var changed = host.Changed;
            yield return host.Report();
            await changed.WaitOrTimeout(host.Heartbeat, time, cancellation);
        }
    }
}
