using Grpc.Core;
using Grpc.Net.Client;
using Herd.V1;

namespace Herd.Client;

/// <summary>A connection to a gateway.</summary>
public sealed class HerdClient : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Connects when it is first used.</summary>
    /// <param name="address">The gRPC address of the gateway, such as http://127.0.0.1:8081.</param>
    /// <param name="key">
    /// The API key; null if the gateway needs none. It is sent over connections without TLS too.
    /// </param>
    public HerdClient(string address, string? key = null)
    {
        _channel = HerdChannel.Connect(address, key);
        Conversations = new ConversationService.ConversationServiceClient(_channel);
    }

    /// <summary>The typed client of herd.v1.ConversationService.</summary>
    public ConversationService.ConversationServiceClient Conversations { get; }

    /// <summary>Creates a durable conversation, for ChatOptions.ConversationId.</summary>
    /// <param name="model">The model; null if only one is served.</param>
    /// <param name="system">The system message; null means none.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <returns>The id of the conversation.</returns>
    /// <exception cref="RpcException">
    /// The gateway refused the request or cannot be reached. The status says why.
    /// </exception>
    public async Task<string> CreateConversationAsync(
        string? model = null, string? system = null, CancellationToken cancellation = default)
    {
        var request = new CreateConversationRequest();
        if (model is not null)
        {
            request.Model = model;
        }

        if (system is not null)
        {
            request.System = system;
        }

        var response = await Conversations.CreateConversationAsync(request, cancellationToken: cancellation);
        return response.Conversation.ConversationId;
    }

    /// <summary>Chats with a model.</summary>
    /// <param name="model">The model, unless a chat's options name one.</param>
    public HerdChatClient AsChatClient(string model) => new(this, model);

    public void Dispose() => _channel.Dispose();
}
