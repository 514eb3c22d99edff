using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.AI;

namespace Herd.Client;

/// <summary>
/// Chats over herd.v1. Without a conversation id the caller keeps the history; Herd runs its requests on the node with
/// the KV cache. With one (<see cref="HerdClient.CreateConversationAsync"/>) the cluster stores the history, and only
/// new messages are sent.
/// </summary>
public sealed class HerdChatClient(HerdClient client, string model) : IChatClient
{
    /// <inheritdoc/>
    public async Task<Microsoft.Extensions.AI.ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default) =>
        await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <summary>Streams an answer.</summary>
    /// <exception cref="NotSupportedException">
    /// A message has content other than text and functions, or a turn of a durable conversation is more than one
    /// message.
    /// </exception>
    /// <exception cref="RpcException">
    /// The gateway refused the request or cannot be reached. The status says why.
    /// </exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default) =>
        options?.ConversationId is { } conversation
            ? Converse(conversation, [.. messages], options, cancellationToken)
            : Chat([.. messages], options ?? new ChatOptions(), cancellationToken);

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("herd", defaultModelId: model)
        : serviceType == typeof(HerdClient) ? client
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    /// <summary>Does nothing. The owner disposes of the <see cref="HerdClient"/>.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Chat(
        IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions options,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = ChatMapping.ToRequest(messages, options, model);
        using var call = client.Conversations.Chat(request, cancellationToken: cancellation);
        var (response, called) = ("", false);
        await foreach (var update in call.ResponseStream.ReadAllAsync(cancellation))
        {
            response = update.Started?.TurnId ?? response;
            called |= update.Part?.Call is not null;
            if (ChatMapping.ToUpdate(update, called) is { } part)
            {
                yield return Complete(part, response, request.Model, conversation: null);
            }
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Converse(
        string conversation,
        IReadOnlyList<Microsoft.Extensions.AI.ChatMessage> messages,
        ChatOptions options,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = ChatMapping.ToTurn(conversation, messages, options);
        using var call = client.Conversations.Converse(request, cancellationToken: cancellation);
        var (response, used, called) = ("", model, false);
        await foreach (var update in call.ResponseStream.ReadAllAsync(cancellation))
        {
            (response, used) = update.Started is { } started ? (started.TurnId, started.Model) : (response, used);
            called |= update.Part?.Call is not null;
            if (ChatMapping.ToUpdate(update, request.Tools.Count > 0, called) is { } part)
            {
                yield return Complete(part, response, used, conversation);
            }
        }
    }

    private static ChatResponseUpdate Complete(
        ChatResponseUpdate update, string response, string model, string? conversation)
    {
        (update.ResponseId, update.MessageId) = (response, response);
        (update.ModelId, update.ConversationId) = (model, conversation);
        update.Role = Microsoft.Extensions.AI.ChatRole.Assistant;
        return update;
    }
}
