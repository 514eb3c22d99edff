using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Generation;
using Herd.Gateway.Hosting;
using Herd.Gateway.Requests;
using Herd.Gateway.Conversations;
using Herd.Gateway.Tenants;
using Herd.Grains.Conversations;
using Herd.Grains.Routing;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>The Conversations API. A conversation's items are those of its turns. Responses add them.</summary>
internal static class ConversationsEndpoints
{
    public static void MapConversations(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/conversations", async (HttpContext context, ConversationClient conversations) =>
        {
            var request = await context.Request.ReadOptional(
                ResponsesJson.Default.ConversationRequest, "a conversation") ?? new ConversationRequest();
            var (tenant, metadata) = (context.Tenant(), MetadataRules.Check(request.Metadata));
            var conversation = await conversations.Create(tenant, model: null, System(request), context.RequestAborted);
            conversation = metadata is null
                ? conversation
                : await conversations.UpdateMetadata(tenant, conversation.Id, metadata, context.RequestAborted);
            return TypedResults.Json(Shape(conversation), ResponsesJson.Default.ConversationObject);
        }).Describes<ConversationRequest, ConversationObject>("Conversations");
        routes.MapPost("/v1/conversations/{id}", async (
            string id, HttpContext context, ConversationClient conversations) =>
        {
            var request = await context.Request.Read(ResponsesJson.Default.ConversationRequest, "a conversation");
            var conversation = await conversations.UpdateMetadata(
                context.Tenant(),
                Check(id),
                MetadataRules.Check(request.Metadata) ?? [],
                context.RequestAborted);
            return TypedResults.Json(Shape(conversation), ResponsesJson.Default.ConversationObject);
        }).Describes<ConversationRequest, ConversationObject>("Conversations");
        routes.MapGet("/v1/conversations/{id}", async (
            string id, HttpContext context, ConversationClient conversations) => TypedResults.Json(
                Shape(await Find(id, context, conversations)),
                ResponsesJson.Default.ConversationObject)).Describes<ConversationObject>("Conversations");
        routes.MapDelete("/v1/conversations/{id}", async (
            string id, HttpContext context, ConversationClient conversations) =>
        {
            await conversations.Delete(context.Tenant(), Check(id), context.RequestAborted);
            return TypedResults.Json(
                new DeletedObject(id, "conversation.deleted"), ResponsesJson.Default.DeletedObject);
        }).Describes<DeletedObject>("Conversations");
        routes.MapGet("/v1/conversations/{id}/items", async (
            string id, string? order, HttpContext context, ConversationClient conversations, NodeRegistry registry) =>
        {
            var items = Items(await Find(id, context, conversations), registry).ToList();
            if (order != "asc")
            {
                items.Reverse();
            }

            return TypedResults.Json(ResponseItems.List(items), ResponsesJson.Default.InputItemList);
        }).Describes<InputItemList>("Conversations");
        routes.MapGet("/v1/conversations/{id}/items/{item}", async (
            string id, string item, HttpContext context, ConversationClient conversations, NodeRegistry registry) =>
            TypedResults.Json(
                Items(await Find(id, context, conversations), registry).FirstOrDefault(known => known.Id == item)
                    ?? throw new HerdException(
                        HerdError.ResponseNotFound,
                        $"The conversation '{id}' has no item '{item}'. List its items to see their ids.",
                        "item_id"),
                ResponsesJson.Default.OutputItem)).Describes<OutputItem>("Conversations");
    }

    private static async Task<Conversation> Find(string id, HttpContext context, ConversationClient conversations) =>
        await conversations.Read(context.Tenant(), Check(id), context.RequestAborted);

    private static string Check(string id) => ResponseId.IsConversation(id)
        ? id
        : throw ConversationErrors.NotFound(id);

    private static string? System(ConversationRequest request)
    {
        var items = (request.Items ?? []).Select(
            (item, i) => ResponseRequestReader.ToMessage(
                new Field<JsonElement?>($"items[{i}]", item), AnswerMarkup.None)).ToList();
        return items switch
        {
            [] => null,
            [{ Role: Role.System } system] => system.Text,
            _ => throw Bad(
                "A conversation can begin with one system message here. Send the others as the 'input' of a response.",
                "items"),
        };
    }

    private static IEnumerable<OutputItem> Items(Conversation conversation, NodeRegistry registry) => conversation.Turns
        .Where(turn => !turn.IsDeleted)
        .SelectMany(turn =>
        {
            var id = new ResponseId(conversation.Id, ResponseId.IsTurn(turn.Id) ? turn.Id : "turn_" + turn.Id);
            var input = ResponseItems.Input(id, turn);
            return turn.Answer.IsEmpty
                ? input
                : input.Concat(ResponseItems.From(id, turn, registry.MarkupOf(turn.Model)));
        });

    private static ConversationObject Shape(Conversation conversation) =>
        new(
            conversation.Id,
            conversation.Created.ToUnixTimeSeconds(),
            conversation.Metadata ?? new Dictionary<string, string>());
}
