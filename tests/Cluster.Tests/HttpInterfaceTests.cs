using System.Net.Http.Json;
using System.Net;
using System.Text.Json;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>herd.v1 as JSON over HTTP, and the description of all HTTP interfaces.</summary>
[Collection(nameof(TinyCluster))]
public sealed class HttpInterfaceTests(TinyCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The unary calls of herd.v1 as JSON over HTTP.</summary>
    [Fact]
    public async Task Transcoding_OfUnaryCalls_IsHerdV1()
    {
        using var http = new HttpClient
        {
            BaseAddress = new Uri(cluster.Http),
            DefaultRequestHeaders = { Authorization = new("Bearer", Alice) },
        };

        using var created = await http.PostAsJsonAsync(
            "/herd/v1/conversations", new { model = "tiny", system = "Be brief." }, Cancellation);
        var id = (await Json(created)).GetProperty("conversation").GetProperty("conversationId").GetString();
        var read = await http.GetFromJsonAsync<JsonElement>($"/herd/v1/conversations/{id}", Cancellation);
        using var tokens = await http.PostAsJsonAsync(
            "/herd/v1/tokenize", new { model = "tiny", text = "hello" }, Cancellation);
        using var deleted = await http.DeleteAsync($"/herd/v1/conversations/{id}", Cancellation);
        using var gone = await http.GetAsync($"/herd/v1/conversations/{id}", Cancellation);
        using var stranger = await new HttpClient().GetAsync(new Uri($"{cluster.Http}/herd/v1/models"), Cancellation);

        Assert.Equal("Be brief.", read.GetProperty("conversation").GetProperty("system").GetString());
        Assert.NotEmpty((await Json(tokens)).GetProperty("tokens").EnumerateArray());
        Assert.Equal(
            (HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized),
            (deleted.StatusCode, gone.StatusCode, stranger.StatusCode));
        Assert.Equal(
            "ConversationNotFound", (await Json(gone)).GetProperty("details")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Document_OfTheHttpInterfaces_DescribesThem()
    {
        using var http = new HttpClient
        {
            BaseAddress = new Uri(cluster.Http),
            DefaultRequestHeaders = { Authorization = new("Bearer", Alice) },
        };

        var document = await http.GetFromJsonAsync<JsonElement>("/openapi.json", Cancellation);
        var page = await http.GetStringAsync("/docs/", Cancellation);

        var paths = document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet();
        Assert.Superset(
            new HashSet<string>
            {
                "/v1/chat/completions",
                "/v1/responses/{id}",
                "/v1/conversations",
                "/v1/messages",
                "/api/chat",
                "/tokenize",
            }, paths);
        var chat = document.GetProperty("components")
            .GetProperty("schemas")
            .GetProperty("OpenAiChatRequest")
            .GetProperty("properties");
        Assert.All(
            ["messages", "max_completion_tokens", "tool_choice"],
            field => Assert.True(chat.TryGetProperty(field, out _), field));
        Assert.Contains("openapi.json", page, StringComparison.Ordinal);
    }
}
