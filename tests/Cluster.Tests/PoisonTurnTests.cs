using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>A turn whose nodes are killed one after the other. The third node lives on.</summary>
public sealed class PoisonTurnTests : HerdCluster, IAsyncLifetime
{
    /// <summary>So long that no node has computed it before it is killed.</summary>
    private static readonly string Poison = string.Concat(Enumerable.Repeat("Tell me about a dragon. ", 250));

    private static readonly string[] Nodes = ["node-1", "node-2", "node-3"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        SetEnvironment("Poison__NodeReturnTimeout", "00:00:03");
        await Up("--nodes", "3");
    }

    [Fact]
    public async Task Converse_TurnFailsTwoNodes_FailsAndTheThirdServesOn()
    {
        var killed = new List<string>();
        var conversation = (await New()).ConversationId;

        var refusal = await Assert.ThrowsAsync<RpcException>(() => KillEachNodeOf(conversation, killed));

        Assert.Equal((StatusCode.FailedPrecondition, 2), (refusal.StatusCode, killed.Count));
        var survivor = Assert.Single(Nodes.Except(killed));

        // The same content over another interface, as another turn.
        var response = await Complete(Poison);
        var error = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error");
        Assert.Equal(
            (HttpStatusCode.UnprocessableEntity, "poison_turn"),
            (response.StatusCode, error.GetProperty("code").GetString()));

        Assert.Equal(HttpStatusCode.OK, (await Complete("What is the capital of France?")).StatusCode);
        Assert.Equal(survivor, (await Say((await New()).ConversationId, "Hello.", maxTokens: 4)).Node);
        var doctor = (await Run("doctor")).Output;
        Assert.Contains(conversation, doctor, StringComparison.Ordinal);
        Assert.Contains($"failed the nodes {killed[0]}, {killed[1]}", doctor, StringComparison.Ordinal);
        var log = await File.ReadAllTextAsync(Path.Combine(Home, "logs", "gateway-1.log"), Cancellation);
        Assert.Contains($"conversation {conversation} is poison", log, StringComparison.Ordinal);
        Assert.DoesNotContain("dragon", log, StringComparison.Ordinal);
    }

    /// <summary>Kills each node that begins to compute the turn.</summary>
    private async Task KillEachNodeOf(string conversation, List<string> killed)
    {
        using var call = Conversations.Converse(
            new ConverseRequest { ConversationId = conversation, Text = Poison, MaxTokens = 200 },
            cancellationToken: Cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            if (update.Started is { } started)
            {
                killed.Add(started.Node);
                await Kill(started.Node);
            }
        }
    }

    /// <summary>A chat completion of one message.</summary>
    private async Task<HttpResponseMessage> Complete(string text)
    {
        using var http = new HttpClient();
        return await http.PostAsJsonAsync(
            $"{Http}/v1/chat/completions",
            new
            {
                model = "smollm2-135m-instruct",
                max_tokens = 4,
                messages = new[] { new { role = "user", content = text } },
            },
            Cancellation);
    }
}
