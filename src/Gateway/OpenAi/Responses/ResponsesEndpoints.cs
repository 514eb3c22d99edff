using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Gateway.Tenants;
using Herd.Grains.Routing;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>
/// The Responses API on durable conversations: a response is a turn. One that follows the last response of a conversation goes on
/// there, on the node that has its KV cache; one that follows an earlier response goes on in a fork, which shares it.
/// </summary>
internal static class ResponsesEndpoints
{
    public static void MapResponses(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/responses", Create);
        routes.MapGet("/v1/responses/{id}", async (string id, HttpContext context, ConversationClient conversations) =>
        {
            var (response, turn, previous) = await Find(id, context, conversations);
            return TypedResults.Json(ResponseShape.Of(response, turn, previous), ResponsesJson.Default.Response);
        });
        routes.MapGet("/v1/responses/{id}/input_items", async (string id, HttpContext context, ConversationClient conversations) =>
        {
            var (response, turn, _) = await Find(id, context, conversations);
            return TypedResults.Json(ResponseShape.Input(response, turn), ResponsesJson.Default.InputItemList);
        });
    }

    private static async Task Create(
        HttpContext context, ConversationClient conversations, ClusterView view, TimeProvider time, ILogger<ErrorResponses> logger)
    {
        var request = await ResponseRequestReader.Read(context.Request);
        if (view.Models.All(model => model.Id != request.Model))
        {
            throw view.NotServed(request.Model!);
        }

        var tenant = Authentication.Tenant(context);
        var (id, turn, previous, events) = await Begin(request, tenant, conversations, context.RequestAborted);
        await using (events)
        {
            // Nothing is sent before the answer has begun, so that what fails until then is told by its status.
            while (events.Current.Started is { } started)
            {
                context.Response.Headers[ChatCompletions.NodeHeader] = started.Node;
                await events.MoveNextAsync();
            }

            Response Describe(Turn turn) => ResponseShape.Of(id, turn, previous: null) with
            {
                PreviousResponseId = previous,
                Instructions = request.Instructions,
                Store = request.Store ?? true,
                Metadata = request.Metadata ?? [],
            };
            var begun = Describe(new Turn
            {
                Id = id.Turn, State = TurnState.Pending, Input = turn.Input, Created = time.GetUtcNow(), Model = turn.Model, Settings = turn.Settings,
            });
            if (request.Stream == true)
            {
                await Stream(context, new ResponseStream(context, id), begun, Describe, id, events, logger);
                return;
            }

            while (events.Current.Completed is null)
            {
                await events.MoveNextAsync();
            }

            await context.Response.WriteAsJsonAsync(
                Describe(events.Current.Completed), ResponsesJson.Default.Response, cancellationToken: context.RequestAborted);
        }
    }

    private static async Task Stream(
        HttpContext context,
        ResponseStream stream,
        Response begun,
        Func<Turn, Response> describe,
        ResponseId id,
        IAsyncEnumerator<TurnEvent> events,
        ILogger logger)
    {
        await stream.Begin(begun);
        try
        {
            for (; events.Current.Completed is null; await events.MoveNextAsync())
            {
                if (events.Current.Delta is { Text.Length: > 0 } delta)
                {
                    await stream.Append(delta.Text);
                }
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await stream.Fail(ResponseShape.Failed(begun, ErrorResponses.Explain(e, context.Request.Path, logger)));
            return;
        }

        var turn = events.Current.Completed;
        await stream.End(describe(turn), ResponseShape.Message(id, turn));
    }

    /// <summary>Begins the turn where it belongs.</summary>
    private static async Task<(ResponseId Id, TurnRequest Turn, string? Previous, IAsyncEnumerator<TurnEvent> Events)> Begin(
        ResponseRequest request, Tenant tenant, ConversationClient conversations, CancellationToken cancellation)
    {
        if (request.PreviousResponseId is { } given)
        {
            var previous = ResponseId.Parse(given, "previous_response_id");
            var turn = ResponseRequestReader.ToTurn(request, isFirst: false) with { After = previous.Turn };
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
                ? await Converse(named, ResponseRequestReader.ToTurn(request, isFirst: false), null)
                : throw new HerdException(HerdError.ConversationNotFound, $"There is no conversation '{named}'.", "conversation");
        }

        var first = ResponseRequestReader.ToTurn(request, isFirst: true);
        if (request.Store == false)
        {
            // As a session whose history its caller keeps: it is not listed, and forgotten after a while.
            var history = first with
            {
                IsWholeHistory = true,
                Input = request.Instructions is { } instructions ? [new Message(Role.System, instructions), .. first.Input] : first.Input,
            };
            return await Converse(SessionIdentity.NewId(), history, null);
        }

        var conversation = await conversations.Create(tenant, request.Model, request.Instructions, cancellation);
        return await Converse(conversation.Id, first, null);

        async Task<(ResponseId, TurnRequest, string?, IAsyncEnumerator<TurnEvent>)> Converse(string conversation, TurnRequest turn, string? previous)
        {
            var events = conversations.Converse(tenant, conversation, turn, cancellation).GetAsyncEnumerator(cancellation);
            try
            {
                await events.MoveNextAsync();
                return (new ResponseId(conversation, turn.TurnId), turn, previous, events);
            }
            catch
            {
                await events.DisposeAsync();
                throw;
            }
        }
    }

    private static async Task<(ResponseId Id, Turn Turn, Turn? Previous)> Find(
        string text, HttpContext context, ConversationClient conversations)
    {
        var id = ResponseId.Parse(text, "response_id");
        try
        {
            var turns = (await conversations.Read(Authentication.Tenant(context), id.Conversation, context.RequestAborted)).Turns;
            var at = turns.ToList().FindIndex(turn => turn.Id == id.Turn);
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
