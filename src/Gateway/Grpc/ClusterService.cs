using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Gateway.Conversations;
using Herd.Gateway.Tenants;
using Herd.Grains.Routing;
using Herd.V1;

namespace Herd.Gateway.Grpc;

/// <summary>herd.v1.ClusterService: for operators (<see cref="Tenants.Authentication"/>).</summary>
internal sealed class ClusterService(ClusterView view, ConversationClient conversations, IGrainFactory grains)
    : V1.ClusterService.ClusterServiceBase
{
    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNodesResponse { Nodes = { view.Nodes.Select(ProtoMapping.ToProto) } });

    public override async Task<RehomeConversationResponse> RehomeConversation(RehomeConversationRequest request, ServerCallContext context)
    {
        if (request.HasNode && view.Find(request.Node) is null)
        {
            throw new HerdException(HerdError.InvalidArgument, $"There is no node '{request.Node}'.", "node");
        }

        var tenant = new Tenant(request.Tenant, IsOperator: false, new TenantLimits());
        var moved = await conversations.Move(tenant, request.ConversationId, request.HasNode ? request.Node : null, context.CancellationToken);
        return new RehomeConversationResponse { Placement = moved?.ToProto() };
    }

    public override async Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context)
    {
        if (view.Find(request.Node) is not { State: not Contracts.Nodes.NodeState.Lost })
        {
            throw new HerdException(HerdError.InvalidArgument, $"There is no node '{request.Node}' that answers.", "node");
        }

        var node = grains.GetGrain<INodeGrain>(request.Node);
        var preview = await node.PreviewDrain(context.CancellationToken);
        if (!request.Preview)
        {
            await node.Drain();
        }

        return new DrainNodeResponse
        {
            Streams = preview.Streams,
            Sessions = preview.Sessions,
            Bytes = preview.Bytes,
            Duration = TimeSpan.FromSeconds(preview.Seconds).ToDuration(),
        };
    }
}
