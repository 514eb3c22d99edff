using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Herd.Testing;
using Herd.V1;
using static Herd.Testing.ApiKeys;

namespace Herd.Cluster.Tests;

/// <summary>Two nodes and a gateway with the tiny model and two tenants, on a redis-server.</summary>
public sealed class TinyCluster : HerdCluster, IAsyncLifetime
{
    public const string Alice = "key-of-alice";
    public const string Bob = "key-of-bob";
    public const string Operator = "key-of-operators";

    private StoreProcess? _store;

    /// <summary>The headers of a gRPC call with Alice's key.</summary>
    public static Metadata AsAlice { get; } = Headers(Alice);

    public static Metadata AsBob { get; } = Headers(Bob);

    public static Metadata AsOperator { get; } = Headers(Operator);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await StoreProcess.StartRedis();
        SetEnvironment("Gateway__Tenants__alice", Hash(Alice));
        SetEnvironment("Gateway__Tenants__bob", Hash(Bob));
        SetEnvironment("Gateway__ClientReadTimeout", "00:00:03");
        SetEnvironment("HERD_API_KEY", Alice);
        SetEnvironment("Gateway__AdminKeys__0", Hash(Operator));
        SetEnvironment("HERD_ADMIN_KEY", Operator);
        SetEnvironment("Node__AllowPaths__0", Home);
        var model = TinyModel.Write(NewPath("tiny.gguf"));
        await Up("--model", model, "--store", $"redis://{_store.Address}");
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await _store!.DisposeAsync();
    }

    /// <summary>Creates a conversation of Alice's.</summary>
    public async Task<string> NewConversation() => (await Conversations.CreateConversationAsync(
        new CreateConversationRequest(), AsAlice, cancellationToken: Cancellation)).Conversation.ConversationId;

    /// <summary>Takes a turn, as Alice by default.</summary>
    public async Task<Turn> Converse(ConverseRequest request, Metadata? headers = null)
    {
        using var call = Conversations.Converse(request, headers ?? AsAlice, cancellationToken: Cancellation);
        Turn? turn = null;
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            turn = update.Completed?.Turn;
        }

        return turn!;
    }

    /// <summary>Requests a chat completion as Alice.</summary>
    public Task<HttpResponseMessage> Complete(string body) => Post("/v1/chat/completions", body);

    public async Task<HttpResponseMessage> Post(string path, string body, string key = Alice)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, Http + path)
        {
            Content = new StringContent(body), Headers = { Authorization = new("Bearer", key) },
        };
        return await http.SendAsync(request, Cancellation);
    }

    /// <summary>The body of a response.</summary>
    public static async Task<JsonElement> Json(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);

    /// <summary>The error of a gRPC call that must fail.</summary>
    public static Task<RpcException> Refused(Func<Task> call) => Assert.ThrowsAsync<RpcException>(call);

    private static Metadata Headers(string key) => new() { { "authorization", $"Bearer {key}" } };
}

/// <summary>The cluster with the tiny model that classes share. They leave it as they find it.</summary>
[CollectionDefinition(nameof(TinyCluster))]
public sealed class TinyClusterCollection : ICollectionFixture<TinyCluster>;
