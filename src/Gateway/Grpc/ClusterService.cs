using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Herd.Contracts.Nodes;
using Herd.Gateway.Conversations;
using Herd.Gateway.Doctor;
using Herd.Gateway.Tenants;
using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Herd.V1;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Grpc;

/// <summary>herd.v1.ClusterService: for operators (<see cref="AccessPolicies.Operator"/>).</summary>
internal sealed class ClusterService(
    NodeRegistry registry, ConversationClient conversations, Examination examination, IGrainFactory grains)
    : V1.ClusterService.ClusterServiceBase
{
    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNodesResponse { Nodes = { registry.Nodes.Select(ProtoMapping.ToProto) } });

    public override async Task<LoadModelResponse> LoadModel(LoadModelRequest request, ServerCallContext context)
    {
        Require(request.Model.Length > 0, "'model' is missing. Send the id of a model of the catalog.", "model");
        await Find(request.Node).Serve(request.Model);
        return new LoadModelResponse();
    }

    public override async Task<UnloadModelResponse> UnloadModel(UnloadModelRequest request, ServerCallContext context)
    {
        await Find(request.Node).Serve("");
        return new UnloadModelResponse();
    }

    public override async Task<RehomeConversationResponse> RehomeConversation(
        RehomeConversationRequest request, ServerCallContext context)
    {
        if (request.HasNode)
        {
            registry.ThrowIfUnknown(request.Node);
        }

        var tenant = new Tenant(request.Tenant, IsOperator: false, new TenantLimits());
        var placement = await conversations.Migrate(
            tenant, request.ConversationId, request.HasNode ? request.Node : null, context.CancellationToken);
        return new RehomeConversationResponse { Placement = placement?.ToProto() };
    }

    public override async Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context)
    {
        var node = Find(request.Node);
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

    public override async Task<DiagnoseResponse> Diagnose(DiagnoseRequest request, ServerCallContext context) =>
        new() { Findings = { Diagnosis.From(await examination.Run()) } };

    private INodeGrain Find(string node) => registry.Find(node) is { State: not Contracts.Nodes.NodeState.Lost }
        ? grains.GetReachableGrain<INodeGrain>(node)
        : throw Bad($"There is no reachable node '{node}'. List the nodes to see their names.", "node");
}
