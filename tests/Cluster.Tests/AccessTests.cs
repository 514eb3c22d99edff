using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Herd.V1;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>Access with each kind of key, and without one.</summary>
[Collection(nameof(TinyCluster))]
public sealed class AccessTests(TinyCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Conversation_OfAnotherTenant_IsAsUnknown()
    {
        var id = await cluster.NewConversation();
        var unknown = "conv_" + new string('0', 32);

        foreach (var (conversation, tenant) in new[] { (id, AsBob), (unknown, AsAlice) })
        {
            var read = await Refused(() => cluster.Conversations.GetConversationAsync(
                new GetConversationRequest { ConversationId = conversation },
                tenant,
                cancellationToken: Cancellation).ResponseAsync);
            var delete = await Refused(() => cluster.Conversations.DeleteConversationAsync(
                new DeleteConversationRequest { ConversationId = conversation },
                tenant,
                cancellationToken: Cancellation).ResponseAsync);
            var converse = await Refused(
                () => cluster.Converse(new ConverseRequest { ConversationId = conversation, Text = "hi" }, tenant));
            Assert.All([read, delete, converse], error => Assert.Equal(StatusCode.NotFound, error.StatusCode));
            Assert.All(
                [read, delete, converse],
                error => Assert.Equal(
                    $"There is no conversation '{conversation}'. Check the id, or create one.", error.Status.Detail));
        }

        var list = await cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest(), AsBob, cancellationToken: Cancellation);
        Assert.DoesNotContain(list.Conversations, conversation => conversation.ConversationId == id);
    }

    [Fact]
    public async Task Call_WithoutKey_IsRefusedEverywhereButHealth()
    {
        using var http = new HttpClient { BaseAddress = new Uri(cluster.Http) };

        foreach (var path in new[] { "/v1/models", "/v1/chat/completions", "/v1/anything", "/anything" })
        {
            using var response = await http.GetAsync(path, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal(
                "invalid_api_key", (await Json(response)).GetProperty("error").GetProperty("code").GetString());
        }

        foreach (var path in new[] { "/health/live", "/health/ready" })
        {
            Assert.Equal("Healthy", await http.GetStringAsync(path, Cancellation));
        }

        var error = await Refused(() => cluster.Conversations.ListModelsAsync(
            new ListModelsRequest(), cancellationToken: Cancellation).ResponseAsync);
        Assert.Equal(StatusCode.Unauthenticated, error.StatusCode);
    }

    [Fact]
    public async Task Health_OverGrpc_IsServingWithoutKey()
    {
        var health = await new Health.HealthClient(cluster.Channel).CheckAsync(
            new HealthCheckRequest(), cancellationToken: Cancellation);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }

    [Fact]
    public async Task Reflection_WithKey_ListsTheServices()
    {
        using var call = new ServerReflection.ServerReflectionClient(cluster.Channel).ServerReflectionInfo(
            AsAlice, cancellationToken: Cancellation);
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Cancellation);
        await call.RequestStream.CompleteAsync();

        Assert.True(await call.ResponseStream.MoveNext(Cancellation));
        Assert.Superset(
            new HashSet<string> { "herd.v1.ConversationService", "herd.v1.ClusterService", "grpc.health.v1.Health" },
            call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).ToHashSet());
    }

    [Fact]
    public async Task Metrics_AfterATurn_AreForOperatorsOnly()
    {
        await cluster.Converse(
            new ConverseRequest { ConversationId = await cluster.NewConversation(), Text = "measured", MaxTokens = 4 });
        using var http = new HttpClient { BaseAddress = new Uri(cluster.Http) };
        async Task<(HttpStatusCode Status, string Text)> Get(string? key)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, "/metrics") { Headers = { Authorization = key is null ? null : new("Bearer", key) } };
            using var response = await http.SendAsync(request, Cancellation);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await Get(null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Get(Alice)).Status);
        var (status, text) = await Get(Operator);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.All(
            [
                "gen_ai_server_time_to_first_token_seconds_bucket",
                "gen_ai_server_request_duration_seconds_count",
                "herd_tokens_total",
                "herd_node_kv_usage{",
                "herd_node_ready{",
                "herd_streams{",
                "herd_node_slots{",
            ],
            name => Assert.Contains(name, text, StringComparison.Ordinal));
        Assert.DoesNotContain("alice", text, StringComparison.Ordinal);
    }
}
