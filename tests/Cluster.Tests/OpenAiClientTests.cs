using System.ClientModel;
using System.Text.Json;
using Herd.Testing;
using OpenAI;
using OpenAI.Chat;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>The official clients, unmodified.</summary>
public sealed class OpenAiClientTests(RealCluster cluster) : IClassFixture<RealCluster>
{
    private const string Model = "smollm2-135m-instruct";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NuGetClient_StreamedTurns_StickToTheirNodeAndCache()
    {
        var client = new ChatClient(
            Model, new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri($"{cluster.Http}/v1") });
        var options = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 48 };
        List<ChatMessage> messages = [];
        ChatTokenUsage? before = null;
        foreach (var (question, expected) in new[] { ("What is the capital of France?", "Paris"), ("And of Italy?", "Rome") })
        {
            messages.Add(new UserChatMessage(question));
            var (text, usage, finish) = await Stream(client, messages, options);
            messages.Add(new AssistantChatMessage(text));

            Assert.Contains(expected, text, StringComparison.Ordinal);
            Assert.Equal(ChatFinishReason.Stop, finish);
            Assert.True(before is null || usage.InputTokenDetails.CachedTokenCount >= 0.9 * before.TotalTokenCount);
            before = usage;
        }
    }

    [Fact]
    public async Task NuGetClient_NotStreamed_Answers()
    {
        var client = new ChatClient(
            Model, new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri($"{cluster.Http}/v1") });

        ChatCompletion completion = await client.CompleteChatAsync(
            [new SystemChatMessage("You are brief."), new UserChatMessage("Count to a hundred.")],
            new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 5 },
            Cancellation);

        Assert.Equal(ChatFinishReason.Length, completion.FinishReason);
        Assert.Equal(5, completion.Usage.OutputTokenCount);
    }

    /// <summary>A client that goes away ends the generation; what was said until then is kept, and is not the whole.</summary>
    [Fact]
    public async Task AnyClient_GoesAwayInMidAnswer_EndsTheGeneration()
    {
        var session = "";
        using (var http = new HttpClient())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{cluster.Http}/v1/chat/completions")
            {
                Content = new StringContent(
                    $$"""{"model":"{{Model}}","stream":true,"temperature":0,"messages":[{"role":"user","content":"Tell me a very long story about a dragon."}]}"""),
            };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            session = response.Headers.GetValues("X-Herd-Session").Single();
        }

        await using var redis = await ConnectionMultiplexer.ConnectAsync(cluster.Store);
        string turn;
        do
        {
            turn = (await redis.GetDatabase().HashGetAsync($"herd:conversation:default/{session}", "turn:0")).ToString();
        }
        while (turn.Contains("\"state\":\"Pending\"", StringComparison.Ordinal));

        Assert.Contains("\"state\":\"Cancelled\"", turn, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NpmClient_StreamedTurns_StickToTheirNodeAndCache()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Cluster.Tests", "npm");
        await Tool.Run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        using var seen = JsonDocument.Parse(await Tool.Run(folder, "node", "chat.mjs", $"{cluster.Http}/v1", Model, "none"));

        var turns = seen.RootElement.GetProperty("turns").EnumerateArray().ToList();
        Assert.Contains("Paris", turns[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("Rome", turns[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.All(turns, turn => Assert.Equal(1, turn.GetProperty("ids").GetInt32()));
        Assert.All(turns, turn => Assert.Equal("stop", turn.GetProperty("finish").GetString()));
        Assert.Single(turns.Select(turn => turn.GetProperty("node").GetString()).Distinct());
        Assert.Single(turns.Select(turn => turn.GetProperty("session").GetString()).Distinct());
        foreach (var (before, turn) in turns.Zip(turns.Skip(1)))
        {
            var earlier = before.GetProperty("prompt").GetInt32() + before.GetProperty("completion").GetInt32();
            Assert.True(turn.GetProperty("cached").GetInt32() >= 0.9 * earlier);
        }

        Assert.Equal(
            """[{"kind":"NotFoundError","status":404,"code":"model_not_found","param":"model","type":"invalid_request_error"},{"kind":"BadRequestError","status":400,"code":null,"param":"messages","type":"invalid_request_error"},{"kind":"BadRequestError","status":400,"code":null,"param":"temperature","type":"invalid_request_error"}]""",
            seen.RootElement.GetProperty("errors").GetRawText());
        Assert.Equal([Model], seen.RootElement.GetProperty("models").EnumerateArray().Select(model => model.GetString()!));
    }

    private static async Task<(string Text, ChatTokenUsage Usage, ChatFinishReason Finish)> Stream(
        ChatClient client, List<ChatMessage> messages, ChatCompletionOptions options)
    {
        var text = "";
        ChatTokenUsage? usage = null;
        ChatFinishReason? finish = null;
        await foreach (var update in client.CompleteChatStreamingAsync(messages, options, Cancellation))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
            finish = update.FinishReason ?? finish;
        }

        return (text, usage!, finish!.Value);
    }
}
