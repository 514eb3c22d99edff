using Grpc.Core;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Herd.Grains.Routing;
using Herd.V1;
using Message = Herd.Contracts.Conversations.Message;
using Role = Herd.Contracts.Conversations.Role;
using ToolCall = Herd.Gateway.Answers.ToolCall;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Grpc;

/// <summary>Answers chats whose history the caller keeps.</summary>
internal sealed class GrpcChat(StatelessChat chat, SessionIdentity identities, NodeRegistry registry)
{
    public async Task Answer(
        ChatRequest request, IServerStreamWriter<ChatResponse> responses, ServerCallContext context)
    {
        var (http, cancellation) = (context.GetHttpContext(), context.CancellationToken);
        var markup = registry.MarkupOf(request.Model);
        var turn = ToTurn(request, markup);
        var identity = request.HasSession
            ? SessionIdentity.From("session", request.Session)
            : identities.From(null, turn, new HeaderDictionary());
        var (session, events) = await chat.Begin(http.Tenant(), identity, turn, cancellation);
        await using var reply = await Reply.Begin(
            session, events, new AnswerReader(markup, turn.Settings, turn.TurnId));
        await Write(new ChatResponse
        {
            Started = new V1.TurnStarted { TurnId = turn.TurnId, Model = request.Model, Node = reply.Node },
        });
        await foreach (var part in reply.Parts(cancellation))
        {
            await Write(new ChatResponse { Part = part.ToProto() });
        }

        await Write(new ChatResponse
        {
            Completed = new ChatCompleted
            {
                FinishReason = (FinishReason)reply.Turn.Finish,
                Usage = reply.Turn.Usage.ToProto(),
                Timings = reply.Turn.Timings.ToProto(),
            },
        });

        Task Write(ChatResponse response) => responses.WriteAsync(response, cancellation).WithReadTimeout(http);
    }

    private static TurnRequest ToTurn(ChatRequest request, AnswerMarkup markup)
    {
        var settings = request.ToSettings();
        TurnLimits.CheckCount(request.Messages.Count);
        var messages = request.Messages.Select((message, i) => new Message(
            Enum.IsDefined((Role)message.Role)
                ? (Role)message.Role
                : throw Bad(
                    $"'messages[{i}].role' must be system, user, assistant or tool.", $"messages[{i}].role"),
            CallText.Write(
                message.Text,
                [.. message.Calls.Select(call => new ToolCall(call.CallId, call.Name, call.Arguments))],
                markup))).ToList();
        TurnLimits.CheckLast(messages, "messages");
        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = messages,
            Settings = settings,
            Model = RequireModel(request.Model),
            IsWholeHistory = true,
        };
    }
}
