using Grpc.Core;
using Herd.Contracts.Conversations;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Hosting;
using Herd.Gateway.OpenAi.Responses;
using Herd.Gateway.Tenants;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Herd.V1;
using Microsoft.AspNetCore.Authorization;
using Message = Herd.Contracts.Conversations.Message;
using Role = Herd.Contracts.Conversations.Role;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Grpc;

/// <summary>herd.v1.ConversationService.</summary>
internal sealed class ConversationService(
    ConversationClient conversations,
    IConversationStore store,
    NodeRegistry registry,
    GrpcChat chat,
    ModelTokens tokens,
    UsageListing usage)
    : StrictConversationService
{
    private const int DefaultPage = 50;
    private const int MaxPage = 1000;

    public override async Task<CreateConversationResponse> CreateConversation(
        CreateConversationRequest request, ServerCallContext context)
    {
        if (request.HasModel && registry.Models.All(model => model.Id != request.Model))
        {
            throw RoutingErrors.NotServed(request.Model, registry.Models);
        }

        var conversation = await conversations.Create(
            Tenant(context),
            request.HasModel ? request.Model : null,
            request.HasSystem ? request.System : null,
            context.CancellationToken);
        return new CreateConversationResponse { Conversation = conversation.ToProto() };
    }

    public override async Task<ForkConversationResponse> ForkConversation(
        ForkConversationRequest request, ServerCallContext context)
    {
        var conversation = await conversations.Fork(
            Tenant(context),
            Id(request.ConversationId),
            request.HasLastTurnId ? request.LastTurnId : null,
            context.CancellationToken);
        return new ForkConversationResponse { Conversation = conversation.ToProto() };
    }

    public override async Task Converse(
        ConverseRequest request, IServerStreamWriter<ConverseResponse> responseStream, ServerCallContext context)
    {
        var turn = new TurnRequest
        {
            TurnId = request.HasTurnId ? request.TurnId : ConversationClient.NewTurnId(),
            Input = Input(request),
            Settings = request.ToSettings(),
            Offset = request.Resume.ToOffset(),
        };
        TurnLimits.CheckTurnId(turn.TurnId);
        TurnLimits.CheckOffset(turn.Offset, request.HasTurnId);
        var cancellation = context.CancellationToken;
        var parts = new TurnParts(registry, turn);
        var updates = conversations.Converse(Tenant(context), Id(request.ConversationId), turn, cancellation);
        await foreach (var update in updates)
        {
            foreach (var response in parts.ToParts(update))
            {
                await responseStream.WriteAsync(response, cancellation).WithReadTimeout(context.GetHttpContext());
            }
        }
    }

    public override async Task<GetConversationResponse> GetConversation(
        GetConversationRequest request, ServerCallContext context)
    {
        var conversation = await conversations.Read(
            Tenant(context), Id(request.ConversationId), context.CancellationToken);
        return new GetConversationResponse { Conversation = conversation.ToProto() };
    }

    public override async Task<ListConversationsResponse> ListConversations(
        ListConversationsRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > MaxPage)
        {
            throw Bad($"'page_size' must be from 0 to {MaxPage}; found {request.PageSize}.", "page_size");
        }

        try
        {
            var page = await store.List(
                Tenant(context).Name,
                request.PageSize == 0 ? DefaultPage : request.PageSize,
                request.PageToken.Length == 0 ? null : request.PageToken);
            return new ListConversationsResponse
            {
                Conversations = { page.Conversations.Select(ProtoMapping.ToProto) },
                NextPageToken = page.Next ?? "",
            };
        }
        catch (FormatException)
        {
            throw Bad("'page_token' is invalid. Leave it out to get the first page.", "page_token");
        }
    }

    public override async Task<DeleteConversationResponse> DeleteConversation(
        DeleteConversationRequest request, ServerCallContext context)
    {
        await conversations.Delete(Tenant(context), Id(request.ConversationId), context.CancellationToken);
        return new DeleteConversationResponse();
    }

    public override async Task<ExplainPlacementResponse> ExplainPlacement(
        ExplainPlacementRequest request, ServerCallContext context)
    {
        var conversation = await conversations.Read(
            Tenant(context), Id(request.ConversationId), context.CancellationToken);
        var placements = conversation.Turns.SelectMany(turn => turn.Placements ?? []);
        return new ExplainPlacementResponse
        {
            Placements =
            {
                (conversation.LastMigration is { } migration ? placements.Append(migration) : placements)
                    .OrderBy(placement => placement.At)
                    .Select(ProtoMapping.ToProto),
            },
        };
    }

    public override async Task<MoveConversationResponse> MoveConversation(
        MoveConversationRequest request, ServerCallContext context)
    {
        if (request.HasNode)
        {
            registry.ThrowIfUnknown(request.Node);
        }

        var placement = await conversations.Migrate(
            Tenant(context),
            Id(request.ConversationId),
            request.HasNode ? request.Node : null,
            context.CancellationToken);
        return new MoveConversationResponse { Placement = placement?.ToProto() };
    }

    public override async Task<CancelTurnResponse> CancelTurn(CancelTurnRequest request, ServerCallContext context)
    {
        TurnLimits.CheckTurnId(request.TurnId);
        var turn = await conversations.Cancel(
            Tenant(context), Id(request.ConversationId), request.TurnId, context.CancellationToken);
        return new CancelTurnResponse { Turn = turn.ToProto() };
    }

    public override Task Chat(
        ChatRequest request, IServerStreamWriter<ChatResponse> responseStream, ServerCallContext context) =>
        chat.Answer(request, responseStream, context);

    public override async Task<TokenizeResponse> Tokenize(TokenizeRequest request, ServerCallContext context) =>
        new() { Tokens = { await tokens.Tokenize(request.Model, request.Text) } };

    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListModelsResponse { Models = { registry.Models.Select(ProtoMapping.ToProto) } });

    [Authorize(AccessPolicies.AnyKey)]
    public override Task<ListUsageResponse> ListUsage(ListUsageRequest request, ServerCallContext context) =>
        usage.List(request, context.GetHttpContext());

    private static IReadOnlyList<Message> Input(ConverseRequest request) => (
        request.Text.Length, request.Results.Count) switch
    {
        (0, 0) => throw Bad("'text' is empty. Send a text, or the results of calls.", "text"),
        (> 0, > 0) => throw Bad("The request has both 'text' and 'results'. Send one of them.", "results"),
        (_, > ToolRules.MaxTools) => throw Bad(
            $"'results' may hold at most {ToolRules.MaxTools} results; found {request.Results.Count}.", "results"),
        (> 0, _) => [new Message(Role.User, request.Text)],
        _ => [.. request.Results.Select(result => new Message(Role.Tool, result))],
    };

    private static Tenant Tenant(ServerCallContext context) => context.GetHttpContext().Tenant();

    /// <summary>
    /// Checks that this service can have made the id. Other ids are refused without a read of the store.
    /// </summary>
    private static string Id(string id) => ResponseId.IsConversation(id)
        ? id
        : throw ConversationErrors.NotFound(id);
}
