using Herd.Gateway.Hosting;
using Herd.Gateway.Conversations;
using Herd.Gateway.Errors;
using Herd.Grains.Routing;

namespace Herd.Gateway.Anthropic;

/// <summary>Anthropic's Messages API.</summary>
internal static class AnthropicEndpoints
{
    private const string Root = "/v1/messages";

    public static bool IsOwn(PathString path) => path.StartsWithSegments(Root, StringComparison.Ordinal);

    public static void MapAnthropic(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Root, Create).Describes<MessagesRequest, MessageReply>("Anthropic");
        routes.MapPost($"{Root}/count_tokens", async (HttpContext context, NodeRegistry registry, ModelTokens tokens) =>
        {
            var request = await AnthropicRequestReader.Read(context.Request);
            var turn = AnthropicRequestReader.ToTurn(request, registry.MarkupOf(request.Model), isToAnswer: false);
            var prompt = await tokens.Prompt(turn.Model!, turn.Input, turn.Settings);
            return TypedResults.Json(new TokenCount(prompt.Count), AnthropicJson.Default.TokenCount);
        }).Describes<MessagesRequest, TokenCount>("Anthropic");
    }

    private static async Task Create(
        HttpContext context, StatelessReplies replies, NodeRegistry registry, ILogger<ErrorResponses> logger)
    {
        var request = await AnthropicRequestReader.Read(context.Request);
        var markup = registry.MarkupOf(request.Model);
        var turn = AnthropicRequestReader.ToTurn(request, markup);
        await using var reply = await replies.Begin(context, request.Rest, turn, markup);
        if (request.Stream == true)
        {
            await Stream(context, reply, AnthropicShape.Reply(turn, [], answered: null, hasCalled: false), logger);
            return;
        }

        var parts = await reply.Whole(context.RequestAborted);
        await context.Response.WriteAsJsonAsync(
            AnthropicShape.Reply(turn, parts, reply.Turn, reply.HasCalled),
            AnthropicJson.Default.MessageReply,
            cancellationToken: context.RequestAborted);
    }

    private static async Task Stream(HttpContext context, Reply reply, MessageReply begun, ILogger logger)
    {
        var stream = new AnthropicStream(context);
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
            await stream.Fail(ErrorResponses.Explain(e, context.Request.Path, logger));
            return;
        }

        await stream.End(reply.Turn, reply.HasCalled);
    }
}
