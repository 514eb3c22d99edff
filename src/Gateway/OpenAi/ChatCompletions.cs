using System.Text;
using Herd.Contracts.Conversations;
using Herd.Gateway.Tenants;

namespace Herd.Gateway.OpenAi;

/// <summary>POST /v1/chat/completions.</summary>
internal static class ChatCompletions
{
    public const string SessionHeader = "X-Herd-Session";
    public const string NodeHeader = "X-Herd-Node";

    public static async Task Handle(
        HttpContext context, StatelessChat chat, SessionIdentity identity, TimeProvider time, ILogger<OpenAiErrors> logger)
    {
        var request = await ChatRequestReader.Read(context.Request);
        var turn = ChatRequestReader.ToTurn(request);
        var position = StreamPosition.Of(context.Request.Headers);
        turn = position is null ? turn : turn with { TurnId = position.Turn, Offset = position.Offset };
        var tenant = Authentication.Tenant(context);
        var (lane, events) = position is null
            ? await chat.Begin(tenant, identity.Of(request, turn, context.Request.Headers), turn, context.RequestAborted)
            : await chat.Resume(tenant, position.Session, turn, context.RequestAborted);
        await using (events)
        {
            // Nothing is sent before the answer has begun, so that what fails until then is told by its status.
            var node = "";
            while (events.Current.Started is { } started)
            {
                node = started.Node;
                await events.MoveNextAsync();
            }

            context.Response.Headers[SessionHeader] = lane;
            context.Response.Headers[NodeHeader] = node;
            var shape = new CompletionShape(
                "chatcmpl-" + turn.TurnId[(turn.TurnId.IndexOf('_', StringComparison.Ordinal) + 1)..],
                time.GetUtcNow().ToUnixTimeSeconds(),
                turn.Model!);
            await (request.Stream
                ? Stream(
                    context,
                    shape,
                    events,
                    new StreamPosition(lane, turn.TurnId, turn.Offset),
                    request.StreamOptions?.IncludeUsage == true,
                    logger)
                : Whole(context, shape, events));
        }
    }

    private static async Task Whole(HttpContext context, CompletionShape shape, IAsyncEnumerator<TurnEvent> events)
    {
        var text = new StringBuilder();
        while (events.Current.Completed is null)
        {
            text.Append(events.Current.Delta?.Text);
            await events.MoveNextAsync();
        }

        await context.Response.WriteAsJsonAsync(
            shape.Whole(text.ToString(), events.Current),
            OpenAiJson.Default.ChatCompletion,
            cancellationToken: context.RequestAborted);
    }

    private static async Task Stream(
        HttpContext context,
        CompletionShape shape,
        IAsyncEnumerator<TurnEvent> events,
        StreamPosition position,
        bool includeUsage,
        ILogger logger)
    {
        var stream = new EventStream(context);
        if (position.Offset == AnswerOffset.Start)
        {
            await stream.Write(shape.Chunk(role: "assistant", content: ""), position);
        }

        try
        {
            for (; events.Current.Completed is null; await events.MoveNextAsync())
            {
                if (events.Current.Delta is { } delta)
                {
                    position = position.After(delta);
                    if (delta.Text.Length > 0)
                    {
                        await stream.Write(shape.Chunk(role: null, delta.Text), position);
                    }
                }
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            // The status is sent already; the error object takes the place of a chunk, and the stream ends without [DONE].
            await stream.WriteError(OpenAiErrors.Explain(e, context.Request.Path, logger));
            return;
        }

        var turn = events.Current.Completed;
        await stream.Write(shape.Last(events.Current));
        if (includeUsage)
        {
            await stream.Write(shape.Usage(turn));
        }

        await stream.Done();
    }
}
