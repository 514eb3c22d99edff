using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Gateway.Tenants;
using Herd.Grains.Conversations;
using Herd.Grains.Routing;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>
/// The Responses API on durable conversations. A response is a turn. A response that follows the last one of a
/// conversation is added to it, on the node with its KV cache. One that follows an earlier response is added to a fork.
/// </summary>
internal static class ResponsesEndpoints
{
    public static void MapResponses(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/responses", Create).Describes<ResponseRequest, Response>("Responses");
        routes.MapGet("/v1/responses/{id}", async (
            string id, HttpContext context, ConversationClient conversations, NodeRegistry registry) =>
        {
            var (response, turn, previous) = await Find(id, context, conversations);
            return TypedResults.Json(
                ResponseShape.From(response, turn, previous, registry.MarkupOf(turn.Model)),
                ResponsesJson.Default.Response);
        }).Describes<Response>("Responses");
        routes.MapGet("/v1/responses/{id}/input_items", async (
            string id, string? order, HttpContext context, ConversationClient conversations) =>
        {
            var (response, turn, _) = await Find(id, context, conversations);
            var items = ResponseItems.Input(response, turn);
            return TypedResults.Json(
                ResponseItems.List(order == "asc" ? items : items.Reverse()), ResponsesJson.Default.InputItemList);
        }).Describes<InputItemList>("Responses");
        routes.MapPost("/v1/responses/{id}/cancel", async (
            string id, HttpContext context, ConversationClient conversations, NodeRegistry registry) =>
        {
            var (response, _, previous) = await Find(id, context, conversations);
            var turn = await conversations.Cancel(
                context.Tenant(), response.Conversation, response.Turn, context.RequestAborted);
            return TypedResults.Json(
                ResponseShape.From(response, turn, previous, registry.MarkupOf(turn.Model)),
                ResponsesJson.Default.Response);
        }).Describes<Response>("Responses");
        routes.MapDelete("/v1/responses/{id}", async (
            string id, HttpContext context, ConversationClient conversations) =>
        {
            var (response, _, _) = await Find(id, context, conversations);
            await conversations.DeleteTurn(
                context.Tenant(), response.Conversation, response.Turn, context.RequestAborted);
            return TypedResults.Json(new DeletedObject(id, "response"), ResponsesJson.Default.DeletedObject);
        }).Describes<DeletedObject>("Responses");
    }

    private static async Task Create(
        HttpContext context,
        ConversationClient conversations,
        NodeRegistry registry,
        TimeProvider time,
        ILogger<ErrorResponses> logger)
    {
        var request = await ResponseRequestReader.Read(context.Request);
        if (registry.Models.All(model => model.Id != request.Model))
        {
            throw RoutingErrors.NotServed(request.Model!, registry.Models);
        }

        var tenant = context.Tenant();
        var markup = registry.MarkupOf(request.Model);
        var (id, turn, previous, events) = await Begin(request, tenant, markup, conversations, context.RequestAborted);
        await using var reply = await Reply.Begin(
            id.Conversation, events, new AnswerReader(markup, turn.Settings, turn.TurnId));
        context.Response.Headers[StatelessReplies.NodeHeader] = reply.Node;
        Response Describe(Turn turn) => ResponseShape.From(id, turn, previous: null, markup) with
        {
            PreviousResponseId = previous,
            Instructions = request.Instructions,
            Store = request.Store ?? true,
        };
        if (request.Stream == true)
        {
            var begun = Describe(new Turn
            {
                Id = id.Turn,
                State = TurnState.Pending,
                Input = turn.Input,
                Created = time.GetUtcNow(),
                Model = turn.Model,
                Settings = turn.Settings,
                Metadata = turn.Metadata,
            });
            await Stream(context, new ResponseStream(context, id), begun, Describe, reply, logger);
            return;
        }

        await reply.Whole(context.RequestAborted);
        await context.Response.WriteAsJsonAsync(
            Describe(reply.Turn), ResponsesJson.Default.Response, cancellationToken: context.RequestAborted);
    }

    private static async Task Stream(
        HttpContext context,
        ResponseStream stream,
        Response begun,
        Func<Turn, Response> describe,
        Reply reply,
        ILogger logger)
    {
        await stream.Begin(begun);
        try
        {
            await foreach (var part in reply.Parts(context.RequestAborted))
            {
                await stream.Append(part);
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await stream.Fail(ResponseShape.Failed(begun, ErrorResponses.Explain(e, context.Request.Path, logger)));
            return;
        }

        await stream.End(describe(reply.Turn), reply.Turn.Finish == Finish.Stop);
    }

    /// <summary>Begins the turn in its conversation.</summary>
    private static async Task<(
        ResponseId Id, TurnRequest Turn, string? Previous, IAsyncEnumerator<TurnEvent> Events)> Begin(
        ResponseRequest request,
        Tenant tenant,
        AnswerMarkup markup,
        ConversationClient conversations,
        CancellationToken cancellation)
    {
        if (request.PreviousResponseId is { } given)
        {
            var previous = ResponseId.Parse(given, "previous_response_id");
            var turn = ResponseRequestReader.ToTurn(request, isFirst: false, markup) with { After = previous.Turn };
            try
            {
                return await Converse(previous.Conversation, turn, given);
            }
            catch (HerdException e) when (e.Error == HerdError.ConversationNotFound)
            {
                throw ResponseId.NotFound(given, "previous_response_id");
            }
            catch (HerdException e) when (e.Error == HerdError.Superseded)
            {
                var fork = await conversations.Fork(tenant, previous.Conversation, previous.Turn, cancellation);
                return await Converse(fork.Id, turn, given);
            }
        }

        if (ResponseRequestReader.Conversation(request) is { } named)
        {
            return ResponseId.IsConversation(named)
                ? await Converse(named, ResponseRequestReader.ToTurn(request, isFirst: false, markup), null)
                : throw ConversationErrors.NotFound(named, "conversation");
        }

        var first = ResponseRequestReader.ToTurn(request, isFirst: true, markup);
        if (request.Store == false)
        {
            // A session whose history the caller keeps. It is not listed, and it is deleted later.
            var history = first with
            {
                IsWholeHistory = true,
                Input = request.Instructions is { } instructions
                    ? [new Message(Role.System, instructions), .. first.Input]
                    : first.Input,
            };
            return await Converse(SessionIdentity.NewId(), history, null);
        }

        var conversation = await conversations.Create(tenant, request.Model, request.Instructions, cancellation);
        return await Converse(conversation.Id, first, null);

        async Task<(ResponseId, TurnRequest, string?, IAsyncEnumerator<TurnEvent>)> Converse(
            string conversation, TurnRequest turn, string? previous)
        {
            var events = await conversations.Converse(tenant, conversation, turn, cancellation).ReadFirst(cancellation);
            return (new ResponseId(conversation, turn.TurnId), turn, previous, events);
        }
    }

    private static async Task<(ResponseId Id, Turn Turn, Turn? Previous)> Find(
        string text, HttpContext context, ConversationClient conversations)
    {
        var id = ResponseId.Parse(text, "response_id");
        try
        {
            var turns = (await conversations.Read(context.Tenant(), id.Conversation, context.RequestAborted)).Turns;
            var at = turns.ToList().FindIndex(turn => turn.Id == id.Turn && !turn.IsDeleted);
            return at < 0
                ? throw ResponseId.NotFound(text, "response_id")
                : (id, turns[at], at > 0 ? turns[at - 1] : null);
        }
        catch (HerdException e) when (e.Error == HerdError.ConversationNotFound)
        {
            throw ResponseId.NotFound(text, "response_id");
        }
    }
}
