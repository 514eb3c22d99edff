using Grpc.Core;
using Herd.Grains.Routing;
using Herd.V1;

namespace Herd.Gateway.Grpc;

/// <summary>herd.v1.ClusterService.</summary>
internal sealed class ClusterService(ClusterView view) : V1.ClusterService.ClusterServiceBase
{
    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNodesResponse { Nodes = { view.Nodes.Select(ProtoMapping.ToProto) } });
}
