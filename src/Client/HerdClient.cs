using Grpc.Core;
using Grpc.Net.Client;
using Herd.V1;

namespace Herd.Client;

/// <summary>A connection to a gateway.</summary>
public sealed class HerdClient : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Connects when it is first used.</summary>
    /// <param name="address">Where the gateway listens for gRPC, such as http://127.0.0.1:8081.</param>
    /// <param name="key">The API key; null where none is asked for. Sent over connections without TLS too.</param>
    public HerdClient(string address, string? key = null)
    {
        _channel = HerdChannel.Connect(address, key);
        Conversations = new ConversationService.ConversationServiceClient(_channel);
    }

    /// <summary>The typed client of herd.v1.ConversationService.</summary>
    public ConversationService.ConversationServiceClient Conversations { get; }

    /// <summary>Begins a durable conversation, to be named by ChatOptions.ConversationId.</summary>
    /// <param name="model">The model; null where one is served.</param>
    /// <param name="system">A system message to begin with; null means none.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Its id.</returns>
    /// <exception cref="RpcException">It could not be begun; says why.</exception>
    public async Task<string> CreateConversationAsync(string? model = null, string? system = null, CancellationToken cancellation = default)
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

        return (await Conversations.CreateConversationAsync(request, cancellationToken: cancellation)).Conversation.ConversationId;
    }

    /// <summary>Chats with a model.</summary>
    /// <param name="model">The model, where a chat's options name none.</param>
    public HerdChatClient AsChatClient(string model) => new(this, model);

    public void Dispose() => _channel.Dispose();
}
