using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Herd.Testing;
using Herd.V1;
using static Herd.Testing.ApiKeys;

namespace Herd.Cluster.Tests;

/// <summary>Two nodes and two gateways with the tiny model on the embedded store, and tenants with limits.</summary>
public sealed class TwoTinyGateways : HerdCluster, IAsyncLifetime
{
    /// <summary>Without limits.</summary>
    public const string Alice = "alice";

    /// <summary>With <see cref="TokensPerMinute"/>.</summary>
    public const string Frugal = "frugal";

    /// <summary>With three conversations.</summary>
    public const string Orderly = "orderly";

    /// <summary>With 60,000 bytes.</summary>
    public const string Compact = "compact";

    public const string Operator = "key-of-operators";

    public const int TokensPerMinute = 2400;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(
            NewPath("tenants.json"),
            $$"""
            {
                "alice": {"keys": ["{{Hash(Alice)}}"]},
                "frugal": {"keys": ["{{Hash(Frugal)}}"], "limits": {"tokens_per_minute": {{TokensPerMinute}} } },
                "orderly": {"keys": ["{{Hash(Orderly)}}"], "limits": {"conversations": 3} },
                "compact": {"keys": ["{{Hash(Compact)}}"], "limits": {"stored_bytes": 60000} }
            }
            """,
            Cancellation);
        SetEnvironment("Gateway__TenantsFile", NewPath("tenants.json"));
        SetEnvironment("Gateway__AdminKeys__0", Hash(Operator));
        SetEnvironment("HERD_ADMIN_KEY", Operator);
        SetEnvironment("HERD_API_KEY", Alice);
        await Restore();
    }

    /// <summary>Starts the processes that a test ended.</summary>
    public Task Restore() => Up("--gateways", "2", "--model", TinyModel.Write(NewPath("tiny.gguf")));

    /// <summary>The service of one of the gateways.</summary>
    public ConversationService.ConversationServiceClient At(int number) =>
        number % 2 == 0 ? Conversations : OtherConversations;

    public static Metadata As(string tenant) => new() { { "authorization", $"Bearer {tenant}" } };

    /// <summary>Posts to one of the gateways.</summary>
    public async Task<HttpResponseMessage> Post(
        string path, object body, string key = Alice, int gateway = 0, HttpClient? client = null)
    {
        using var own = client is null ? new HttpClient() : null;
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"http://127.0.0.1:{HttpPort + (gateway % 2 * 2)}{path}")
        {
            Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8),
            Headers = { Authorization = new("Bearer", key) },
        };
        return await (client ?? own!).SendAsync(request, Cancellation);
    }

    public async Task<JsonElement> Json(string path, object body, string key = Alice, int gateway = 0)
    {
        using var response = await Post(path, body, key, gateway);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
    }
}

/// <summary>The cluster that classes share. Each test leaves all processes running and ready.</summary>
[CollectionDefinition(nameof(TwoTinyGateways))]
public sealed class TwoTinyGatewaysCollection : ICollectionFixture<TwoTinyGateways>;
