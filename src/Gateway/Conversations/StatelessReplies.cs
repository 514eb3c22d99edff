using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Gateway.Tenants;

namespace Herd.Gateway.Conversations;

/// <summary>Begins the replies to stateless HTTP requests with one answer.</summary>
internal sealed class StatelessReplies(StatelessChat chat, SessionIdentity identity)
{
    public const string SessionHeader = "X-Herd-Session";
    public const string NodeHeader = "X-Herd-Node";

    /// <summary>Waits for the answer's first part. The response's headers name its session and node.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">The fields of the request that have no other use in Herd.</param>
    /// <param name="turn">The requested turn.</param>
    /// <param name="markup">The model's markup of calls and thoughts.</param>
    public async Task<Reply> Begin(
        HttpContext context, IReadOnlyDictionary<string, JsonElement>? body, TurnRequest turn, AnswerMarkup markup)
    {
        var (session, events) = await chat.Begin(
            context.Tenant(), identity.From(body, turn, context.Request.Headers), turn, context.RequestAborted);
        var reply = await Reply.Begin(session, events, new AnswerReader(markup, turn.Settings, turn.TurnId));
        context.Response.Headers[SessionHeader] = reply.Session;
        context.Response.Headers[NodeHeader] = reply.Node;
        return reply;
    }
}
