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

/// <summary>
/// herd.v1.ClusterService: for operators; readers may make calls with <see cref="ForReadersAttribute"/>.
/// </summary>
internal sealed class ClusterService(
    NodeRegistry registry,
    ConversationClient conversations,
    Examination examination,
    ModelLoads loads,
    StoreCopies copies,
    IGrainFactory grains)
    : StrictClusterService
{
    [ForReaders]
    public override Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListNodesResponse { Nodes = { registry.Nodes.Select(ProtoMapping.ToProto) } });

    public override async Task<LoadModelResponse> LoadModel(LoadModelRequest request, ServerCallContext context)
    {
        Describe(context, $"node {request.Node}, model {request.Model}");
        Require(request.Model.Length > 0, "'model' is missing. Send the id of a model of the catalog.", "model");
        var load = await loads.Begin(Find(request.Node), request.Model, context.CancellationToken);
        return new LoadModelResponse { Load = load?.ToProto() };
    }

    public override async Task<UnloadModelResponse> UnloadModel(UnloadModelRequest request, ServerCallContext context)
    {
        Describe(context, $"node {request.Node}");
        var load = await loads.Begin(Find(request.Node), model: "", context.CancellationToken);
        return new UnloadModelResponse { Load = load?.ToProto() };
    }

    public override async Task<RehomeConversationResponse> RehomeConversation(
        RehomeConversationRequest request, ServerCallContext context)
    {
        Describe(
            context,
            $"tenant {request.Tenant}, conversation {request.ConversationId}, "
            + (request.HasNode ? $"node {request.Node}" : "any node"));
        if (request.HasNode)
        {
            registry.ThrowIfUnknown(request.Node);
        }

        var tenant = new Tenant(request.Tenant, TenantRole.User, new TenantLimits());
        var placement = await conversations.Migrate(
            tenant, request.ConversationId, request.HasNode ? request.Node : null, context.CancellationToken);
        return new RehomeConversationResponse { Placement = placement?.ToProto() };
    }

    public override async Task<DrainNodeResponse> DrainNode(DrainNodeRequest request, ServerCallContext context)
    {
        Describe(context, request.Preview ? $"node {request.Node}, preview" : $"node {request.Node}");
        var node = grains.GetReachableGrain<INodeGrain>(Find(request.Node).Node);
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

    [ForReaders]
    public override async Task<DiagnoseResponse> Diagnose(DiagnoseRequest request, ServerCallContext context) =>
        new() { Findings = { Diagnosis.From(await examination.Run()) } };

    public override Task BackUpStore(
        BackUpStoreRequest request,
        IServerStreamWriter<BackUpStoreResponse> responseStream,
        ServerCallContext context) => copies.Send(responseStream, context.CancellationToken);

    public override Task<RestoreStoreResponse> RestoreStore(
        IAsyncStreamReader<RestoreStoreRequest> requestStream, ServerCallContext context) =>
        copies.Receive(requestStream, context.CancellationToken);

    private static void Describe(ServerCallContext context, string subject) =>
        Audit.Describe(context.GetHttpContext(), subject);

    private NodeReport Find(string node) =>
        registry.Find(node) is { State: not Contracts.Nodes.NodeState.Lost } report
            ? report
            : throw Bad($"There is no reachable node '{node}'. List the nodes to see their names.", "node");
}
