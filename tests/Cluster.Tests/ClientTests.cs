using System.Text.Json;
using Anthropic;
using Anthropic.Models.Messages;
using OllamaSharp;
using OllamaSharp.Models;

namespace Herd.Cluster.Tests;

/// <summary>
/// Unmodified clients of others: chat, streams, tool calls, JSON schemas, multi-turn conversations, errors,
/// cancellation.
/// </summary>
[Collection(nameof(RealCluster))]
public sealed class ClientTests(RealCluster cluster)
{
    private const string Model = "smollm2-135m-instruct";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NpmOpenAi_Functions_AreCalledAndTheirResultsAreUsed()
    {
        var seen = await Run("tools.mjs", "/v1");

        Assert.Equal(
            """{"finish":"tool_calls","content":null,"name":"weather","arguments":{"city":"Rome","unit":"C"}}""",
            Raw(seen, "forced"));
        Assert.Equal("stop", seen.GetProperty("after").GetProperty("finish").GetString());
        Assert.NotEmpty(seen.GetProperty("after").GetProperty("text").GetString()!);
        Assert.True(Number(seen, "after", "cached") >= 0.95 * Number(seen, "after", "before"), Raw(seen, "after"));
        Assert.Equal("tool_calls", seen.GetProperty("streamed").GetProperty("finish").GetString());
        Assert.Equal("weather", seen.GetProperty("streamed").GetProperty("calls")[0].GetProperty("name").GetString());
        Assert.Equal(0, Number(seen, "none", "calls"));
        Assert.Equal("""{"status":400,"param":"tools"}""", Raw(seen, "refused"));
        Assert.True(seen.GetProperty("aborted").GetBoolean());
    }

    [Fact]
    public async Task NpmAnthropic_Everything_IsAsWithAnthropic()
    {
        var seen = await Run("anthropic.mjs", "");

        Assert.Contains("Paris", Text(seen, "first", "text"), StringComparison.Ordinal);
        Assert.Contains("Rome", Text(seen, "second", "text"), StringComparison.Ordinal);
        Assert.Equal(("end_turn", "assistant"), (Text(seen, "first", "stop"), Text(seen, "first", "role")));
        Assert.True(Number(seen, "second", "cached") >= Number(seen, "first", "input"));
        Assert.Equal(
            """["message_start","content_block_start","content_block_delta","content_block_stop","message_delta","me"""
                + """ssage_stop"]""", Raw(seen, "types"));
        Assert.Equal("""{"stop":"tool_use","name":"weather","input":{"city":"Rome"}}""", Raw(seen, "called"));
        Assert.True(seen.GetProperty("answered").GetBoolean());
        Assert.Equal(Number(seen, "first", "input"), seen.GetProperty("counted").GetInt32());
        Assert.Equal("max_tokens", seen.GetProperty("short").GetString());
        Assert.Equal("""{"reason":"stop_sequence","sequence":"Paris"}""", Raw(seen, "stopped"));
        Assert.Equal(
            """[{"status":404,"type":"not_found_error"},{"status":400,"type":"invalid_request_error"},"""
                + """{"status":400,"type":"invalid_request_error"}]""",
            Raw(seen, "errors"));
    }

    [Fact]
    public async Task NpmOllama_Everything_IsAsWithOllama()
    {
        var seen = await Run("ollama.mjs", "");

        Assert.Contains("Paris", seen.GetProperty("first").GetString(), StringComparison.Ordinal);
        Assert.Contains("Rome", seen.GetProperty("second").GetString(), StringComparison.Ordinal);
        Assert.Equal((true, "stop", true), (seen.GetProperty("last")
            .GetProperty("done")
            .GetBoolean(), Text(seen, "last", "reason"), seen.GetProperty("last").GetProperty("took").GetBoolean()));
        Assert.True(seen.GetProperty("answered").GetBoolean());
        Assert.Contains(Text(seen, "object", "colour"), new[] { "red", "blue" });
        Assert.Contains("Paris", seen.GetProperty("generated").GetString(), StringComparison.Ordinal);
        Assert.StartsWith(" Paris", seen.GetProperty("raw").GetString(), StringComparison.Ordinal);
        Assert.True(seen.GetProperty("near").GetBoolean());
        Assert.Equal(1, seen.GetProperty("length").GetDouble(), 3);
        Assert.Equal($"""["{Model}"]""", Raw(seen, "models"));
        Assert.Equal($"""["{Model}"]""", Raw(seen, "running"));
        Assert.Equal(2048, seen.GetProperty("context").GetInt32());
        Assert.Equal("""[{"status":404,"hasText":true},{"status":400,"hasText":true}]""", Raw(seen, "errors"));
    }

    [Fact]
    public async Task NpmAi_Everything_Works()
    {
        var seen = await Run("ai.mjs", "/v1");

        Assert.Contains("Paris", seen.GetProperty("first").GetString(), StringComparison.Ordinal);
        Assert.Contains("Rome", seen.GetProperty("streamed").GetString(), StringComparison.Ordinal);
        Assert.Equal("stop", seen.GetProperty("finish").GetString());
        Assert.Equal("""{"city":"Rome"}""", Raw(seen, "asked"));
        Assert.Equal("tool-calls", seen.GetProperty("tooled").GetString());
        Assert.Contains(Text(seen, "object", "colour"), new[] { "red", "blue" });
        Assert.Equal(400, seen.GetProperty("failed").GetInt32());
    }

    [Fact]
    public async Task NpmLangChain_Everything_Works()
    {
        var seen = await Run("langchain.mjs", "/v1");

        Assert.Contains("Paris", seen.GetProperty("first").GetString(), StringComparison.Ordinal);
        Assert.Contains("Rome", seen.GetProperty("streamed").GetString(), StringComparison.Ordinal);
        Assert.Equal("""[{"name":"weather","args":{"city":"Rome"}}]""", Raw(seen, "calls"));
        Assert.True(seen.GetProperty("answered").GetBoolean());
        Assert.Contains(Text(seen, "object", "colour"), new[] { "red", "blue" });
        Assert.Contains("Rome", Text(seen, "responses", "two"), StringComparison.Ordinal);
        Assert.True(Number(seen, "responses", "cached") > 20);
        Assert.Equal(400, seen.GetProperty("failed").GetInt32());
    }

    [Fact]
    public async Task NuGetOpenAi_Embeddings_AreOfTheTexts()
    {
        var client = new OpenAI.Embeddings.EmbeddingClient(
            Model,
            new System.ClientModel.ApiKeyCredential("none"),
            new OpenAI.OpenAIClientOptions { Endpoint = new Uri($"{cluster.Http}/v1") });

        var both = (await client.GenerateEmbeddingsAsync(
            ["A cat sleeps.", "A cat sleeps."], cancellationToken: Cancellation)).Value;

        Assert.Equal(576, both[0].ToFloats().Length);
        Assert.Equal(both[0].ToFloats().ToArray(), both[1].ToFloats().ToArray());
        await Assert.ThrowsAsync<System.ClientModel.ClientResultException>(() => client.GenerateEmbeddingAsync(
            string.Concat(Enumerable.Repeat("many words ", 2000)), cancellationToken: Cancellation));
    }

    [Fact]
    public async Task NuGetAnthropic_StreamedTurns_Answer()
    {
        using var client = new AnthropicClient { ApiKey = "none", BaseUrl = cluster.Http };
        var parameters = new MessageCreateParams
        {
            Model = Model, MaxTokens = 48, Messages = [new UserMessageParam("What is the capital of France?")],
        };

        var whole = await client.Messages.Create(parameters, Cancellation);
        var streamed = "";
        await foreach (var happened in client.Messages.CreateStreaming(parameters, Cancellation))
        {
            streamed += happened.TryPickContentBlockDelta(out var block) && block.Delta.TryPickText(out var text)
                ? text.Text
                : "";
        }

        Assert.True(whole.Content[0].TryPickText(out var answer));
        Assert.NotEmpty(answer.Text);
        Assert.NotEmpty(streamed);
    }

    [Fact]
    public async Task NuGetOllama_StreamedTurns_Answer()
    {
        using var client = new OllamaApiClient(cluster.Http, Model);
        var chat = new Chat(client) { Options = new RequestOptions { Temperature = 0, NumPredict = 48 } };
        var answers = new List<string>();
        foreach (var question in new[] { "What is the capital of France?", "And of Italy?" })
        {
            answers.Add(string.Concat(await chat.SendAsync(question, Cancellation).ToListAsync(Cancellation)));
        }

        Assert.Contains("Paris", answers[0], StringComparison.Ordinal);
        Assert.Contains("Rome", answers[1], StringComparison.Ordinal);
        Assert.Equal([Model], (await client.ListLocalModelsAsync(Cancellation)).Select(model => model.Name));
    }

    private async Task<JsonElement> Run(string script, string path)
    {
        using var seen = JsonDocument.Parse(await Npm.Run(script, cluster.Http + path, Model));
        return seen.RootElement.Clone();
    }

    private static string Raw(JsonElement seen, string name) => seen.GetProperty(name).GetRawText();

    private static string Text(JsonElement seen, string name, string field) =>
        seen.GetProperty(name).GetProperty(field).GetString()!;

    private static int Number(JsonElement seen, string name, string field) =>
        seen.GetProperty(name).GetProperty(field).GetInt32();
}
