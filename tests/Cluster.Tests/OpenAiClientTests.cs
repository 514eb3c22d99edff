using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace Herd.Cluster.Tests;

/// <summary>The official clients, unmodified.</summary>
[Collection(nameof(RealCluster))]
public sealed class OpenAiClientTests(RealCluster cluster)
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
        foreach (var (question, expected) in new[]
        {
            ("What is the capital of France?", "Paris"),
            ("And of Italy?", "Rome"),
        })
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

    [Fact]
    public async Task NuGetClient_LogProbabilities_AreOfEachToken()
    {
        var client = new ChatClient(
            Model, new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri($"{cluster.Http}/v1") });

        ChatCompletion completion = await client.CompleteChatAsync(
            [new UserChatMessage("Count to a hundred.")],
            new ChatCompletionOptions
            {
                Temperature = 0,
                MaxOutputTokenCount = 5,
                IncludeLogProbabilities = true,
                TopLogProbabilityCount = 3,
            },
            Cancellation);

        Assert.Equal(5, completion.ContentTokenLogProbabilities.Count);
        Assert.Equal(
            completion.Content[0].Text,
            string.Concat(completion.ContentTokenLogProbabilities.Select(token => token.Token)));
        Assert.All(completion.ContentTokenLogProbabilities, token =>
        {
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.Equal(
                (token.Token, token.LogProbability),
                (token.TopLogProbabilities[0].Token, token.TopLogProbabilities[0].LogProbability));
            Assert.True(token.LogProbability <= 0);
        });
    }

    /// <summary>Several answers to one prompt. The usage counts the prompt once.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completions_SeveralChoices_EachIsWhole(bool stream)
    {
        using var http = new HttpClient();
        using var content = new StringContent(
            $$"""
            {
              "model": "{{Model}}", "n": 3, "seed": 5, "temperature": 1.5, "max_tokens": 9,
              "stream": {{(stream ? "true" : "false")}}, "stream_options": { "include_usage": true },
              "messages": [{ "role": "user", "content": "Tell me a story about {{Guid.NewGuid()}}." }]
            }
            """);

        using var response = await http.PostAsync(
            new Uri($"{cluster.Http}/v1/chat/completions"), content, Cancellation);
        var body = await response.Content.ReadAsStringAsync(Cancellation);
        var objects = stream
            ? body.Split('\n')
                .Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
                .Select(line => line[6..])
            : [body];
        var answers = new string[3];
        var finishes = new List<(int, string)>();
        var (prompt, completion) = (0, 0);
        foreach (var chunk in objects.Select(text => JsonDocument.Parse(text).RootElement))
        {
            foreach (var choice in chunk.GetProperty("choices").EnumerateArray())
            {
                var index = choice.GetProperty("index").GetInt32();
                answers[index] += choice.GetProperty(stream ? "delta" : "message")
                    .TryGetProperty("content", out var text) ? text.GetString() : "";
                if (choice.GetProperty("finish_reason").GetString() is { } finish)
                {
                    finishes.Add((index, finish));
                }
            }

            if (chunk.TryGetProperty("usage", out var usage))
            {
                (prompt, completion) = (usage.GetProperty("prompt_tokens")
                    .GetInt32(), usage.GetProperty("completion_tokens").GetInt32());
            }
        }

        Assert.Equal([(0, "length"), (1, "length"), (2, "length")], finishes.Order());
        Assert.Equal(27, completion);
        Assert.InRange(prompt, 20, 80);
        Assert.True(answers.Distinct().Count() > 1, "Each choice has a seed of its own.");
    }

    /// <summary>A client that disconnects cancels the generation. The part that was generated is stored.</summary>
    [Fact]
    public async Task AnyClient_GoesAwayInMidAnswer_EndsTheGeneration()
    {
        var session = "";
        using (var http = new HttpClient())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{cluster.Http}/v1/chat/completions")
            {
                Content = new StringContent(
                    $$"""{"model":"{{Model}}","stream":true,"temperature":0,"messages":"""
                        + $$"""[{"role":"user","content":"Tell me a very long story about a dragon."}]}"""),
            };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            session = response.Headers.GetValues("X-Herd-Session").Single();
        }

        var turn = await cluster.WaitForStoredTurn(
            session, 0, turn => !turn.Contains("\"state\":\"Pending\"", StringComparison.Ordinal));

        Assert.Contains("\"state\":\"Cancelled\"", turn, StringComparison.Ordinal);
    }

    /// <summary>Checks every kind of answer and every event against the types that OpenAI publishes.</summary>
    [Fact]
    public async Task Answers_OfEveryKind_AreOfOpenAisTypes()
    {
        using var seen = JsonDocument.Parse(await Npm.Run("schema.mjs", $"{cluster.Http}/v1", Model));

        Assert.Equal("", seen.RootElement.GetProperty("wrong").GetString() ?? "");
        Assert.True(seen.RootElement.GetProperty("checked").GetInt32() > 30);
    }

    /// <summary>A response is a turn. A response to an earlier one is a fork. It leaves later turns alone.</summary>
    [Fact]
    public async Task NpmClient_Responses_GoOnFromWhicheverIsNamed()
    {
        using var seen = JsonDocument.Parse(await Npm.Run("responses.mjs", $"{cluster.Http}/v1", Model));
        var root = seen.RootElement;
        string Text(string name) => root.GetProperty(name).GetProperty("text").GetString()!;
        int Number(string name, string figure) => root.GetProperty(name).GetProperty(figure).GetInt32();

        Assert.Contains("Paris", Text("first"), StringComparison.Ordinal);
        Assert.Contains("Rome", Text("second"), StringComparison.Ordinal);
        Assert.Contains("Berlin", Text("beside"), StringComparison.Ordinal);
        Assert.Contains("Spain", Text("third"), StringComparison.Ordinal);
        Assert.Equal(
            """[{"topic":"capitals"},{"topic":"capitals"}]""",
            root.GetProperty("first").GetProperty("metadata").GetRawText());
        foreach (var (name, before) in new[] { ("second", "first"), ("beside", "first"), ("third", "second") })
        {
            Assert.Equal("completed", root.GetProperty(name).GetProperty("status").GetString());
            Assert.Equal(
                root.GetProperty(before).GetProperty("id").GetString(),
                root.GetProperty(name).GetProperty("previous").GetString());
            Assert.True(
                Number(name, "cached") >= 0.8 * (Number(before, "input") + Number(before, "output")),
                $"{name}: {root.GetProperty(name)}");
        }

        Assert.Equal(Text("third"), root.GetProperty("deltas").GetString());
        Assert.True(root.GetProperty("numbered").GetBoolean());
        Assert.Equal(
            [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.completed",
            ],
            root.GetProperty("types").EnumerateArray().Select(type => type.GetString()));
        Assert.Equal(
            "incomplete max_output_tokens",
            $"{root.GetProperty("short").GetProperty("status")} {root.GetProperty("short").GetProperty("reason")}");
        Assert.Equal("{", root.GetProperty("json").GetString());
        Assert.Matches("^(red|green)$", root.GetProperty("object").GetProperty("colour").GetString());
        Assert.False(root.GetProperty("passing").GetProperty("store").GetBoolean());
        Assert.Equal(
            """{"name":"weather","arguments":"""
                + """{"city":"Rome"},"status":"completed","kept":"function_call","choice":"required"}""",
            root.GetProperty("tools").GetRawText());
        Assert.Equal(
            """{"kinds":["user France","assistant """
                + """France"],"found":true,"removed":true,"gone":{"status":"""
                + """404,"code":"conversation_not_found","param":"conversation_id"}}""",
            root.GetProperty("conversation").GetRawText());
        Assert.Equal("""[{"topic":"capitals"},{},{"topic":"rivers"}]""", root.GetProperty("notes").GetRawText());
        Assert.Equal("""{"status":400,"code":null,"param":"metadata"}""", root.GetProperty("tooLong").GetRawText());
        Assert.Equal(
            """{"status":404,"code":"response_not_found","param":"response_id"}""",
            root.GetProperty("deleted").GetProperty("gone").GetRawText());
        Assert.Contains(
            "Berlin", root.GetProperty("deleted").GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.Equal("""{"status":"cancelled","began":true}""", root.GetProperty("cancelled").GetRawText());
        Assert.Equal(Text("second"), Text("read"));
        Assert.Equal("""[{"role":"user","text":"And of Italy?"}]""", root.GetProperty("items").GetRawText());
        Assert.Equal(
            """[{"status":404,"code":"response_not_found","param":"response_id"},"""
                + """{"status":404,"code":"response_not_found","param":"response_id"},"""
                + """{"status":404,"code":"response_not_found","param":"response_id"},"""
                + """{"status":404,"code":"response_not_found","param":"previous_response_id"},"""
                + """{"status":400,"code":null,"param":"tools[0]"},{"status":400,"code":null,"param":"store"},"""
                + """{"status":404,"code":"model_not_found","param":"model"}]""",
            root.GetProperty("errors").GetRawText());
    }

    [Fact]
    public async Task NpmClient_StreamedTurns_StickToTheirNodeAndCache()
    {
        using var seen = JsonDocument.Parse(await Npm.Run("chat.mjs", $"{cluster.Http}/v1", Model, "none"));

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
            """[{"kind":"NotFoundError","status":"""
                + """404,"code":"model_not_found","param":"model","type":"invalid_request_error"},"""
                + """{"kind":"BadRequestError","status":400,"code":"""
                + """null,"param":"messages","type":"invalid_request_error"},"""
                + """{"kind":"BadRequestError","status":400,"code":"""
                + """null,"param":"temperature","type":"invalid_request_error"}]""",
            seen.RootElement.GetProperty("errors").GetRawText());
        Assert.Equal(
            [Model], seen.RootElement.GetProperty("models").EnumerateArray().Select(model => model.GetString()!));
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
