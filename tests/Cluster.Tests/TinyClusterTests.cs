using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>Concurrency, tenants and bad input, with the tiny model and Redis as the store.</summary>
[Collection(nameof(TinyCluster))]
public sealed class TinyClusterTests(TinyCluster cluster)
{
    private static readonly Metadata Alice = new() { { "authorization", $"Bearer {TinyCluster.Alice}" } };
    private static readonly Metadata Bob = new() { { "authorization", $"Bearer {TinyCluster.Bob}" } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Converse_ThirtyTwoAtOnce_EachEqualsWhatItGivesAlone()
    {
        const int Streams = 32;
        var texts = Enumerable.Range(0, Streams)
            .Select(i => $"{i} {new string((char)('a' + i % 26), 1 + i * 2)}")
            .ToList();
        var alone = new List<string>();
        foreach (var text in texts)
        {
            alone.Add(await Answer(text));
        }

        var together = await Task.WhenAll(texts.Select(Answer));

        Assert.Equal(alone, together);
        Assert.True(alone.Distinct().Count() > Streams / 2);
    }

    [Fact]
    public async Task Completions_SameRequestAtOnce_AllAnswerTheSame()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            using var response = await Post(
                """{"model":"tiny","temperature":0,"max_tokens":12,"messages":[{"role":"user","content":"same"}]}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (await Json(response)).GetProperty("choices")[0].GetProperty("message")
                .GetProperty("content")
                .GetString();
        }));

        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task Conversation_OfAnotherTenant_IsAsUnknown()
    {
        var id = await NewConversation();
        var unknown = "conv_" + new string('0', 32);

        foreach (var (conversation, tenant) in new[] { (id, Bob), (unknown, Alice) })
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
                () => Converse(new ConverseRequest { ConversationId = conversation, Text = "hi" }, tenant));
            Assert.All([read, delete, converse], error => Assert.Equal(StatusCode.NotFound, error.StatusCode));
            Assert.All(
                [read, delete, converse],
                error => Assert.Equal($"There is no conversation '{conversation}'.", error.Status.Detail));
        }

        var list = await cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest(), Bob, cancellationToken: Cancellation);
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
            Alice, cancellationToken: Cancellation);
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
        await Converse(
            new ConverseRequest { ConversationId = await NewConversation(), Text = "measured", MaxTokens = 4 }, Alice);
        using var http = new HttpClient { BaseAddress = new Uri(cluster.Http) };
        async Task<(HttpStatusCode Status, string Text)> Get(string? key)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, "/metrics") { Headers = { Authorization = key is null ? null : new("Bearer", key) } };
            using var response = await http.SendAsync(request, Cancellation);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await Get(null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Get(TinyCluster.Alice)).Status);
        var (status, text) = await Get(TinyCluster.Operator);
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

    /// <summary>The doctor checks real processes. It reports a model that no catalog has.</summary>
    [Fact]
    public async Task Doctor_OfThisCluster_SaysWhatIsNotAsItShouldBe()
    {
        var result = await cluster.Run("doctor", "--json");

        Assert.Equal(0, result.ExitCode);
        var findings = JsonDocument.Parse(result.Output).RootElement.EnumerateArray()
            .Select(finding =>
                (finding.GetProperty("subject").GetString(), finding.GetProperty("severity").GetString())).ToList();
        Assert.Equal(
            [
                ("nodes", "SEVERITY_FINE"),
                ("versions", "SEVERITY_FINE"),
                ("clocks", "SEVERITY_FINE"),
                ("store", "SEVERITY_FINE"),
                ("keys", "SEVERITY_FINE"),
                ("gpus", "SEVERITY_FINE"),
                ("models", "SEVERITY_WARNING"),
            ],
            findings.Where(finding => finding.Item1 is not ("cores" or "memory" or "disk")));
    }

    /// <summary>A node changes its model while others go on. Its conversations move away first.</summary>
    [Fact]
    public async Task Load_AnotherModel_ServesItAndGoesBack()
    {
        var conversations = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            conversations.Add(await NewConversation());
            await Converse(
                new ConverseRequest { ConversationId = conversations[i], Text = $"number {i}", MaxTokens = 4 }, Alice);
        }

        var other = Herd.Testing.TinyModel.Write(cluster.NewPath("other.gguf"));
        Assert.Equal(0, (await cluster.Run("load", "node-2", other)).ExitCode);
        await UntilModels("other", "tiny");
        using var answered =
            await Post("""{"model":"other","max_tokens":4,"messages":[{"role":"user","content":"hi"}]}""");
        foreach (var conversation in conversations)
        {
            var turn = await Converse(
                new ConverseRequest { ConversationId = conversation, Text = "still here?", MaxTokens = 4 }, Alice);
            Assert.Equal(("node-1", TurnState.Completed), (turn.Node, turn.State));
        }

        var unknown = await cluster.Run("load", "node-2", "/nowhere.gguf");
        Assert.Equal(0, (await cluster.Run("unload", "node-2")).ExitCode);
        await UntilModels("tiny");
        Assert.Equal(0, (await cluster.Run("load", "node-2", cluster.NewPath("tiny.gguf"))).ExitCode);
        await cluster.WaitForNodes(2);

        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Assert.Contains("no model '/nowhere.gguf'", unknown.Error, StringComparison.Ordinal);
    }

    private async Task UntilModels(params string[] models)
    {
        while (!(await cluster.Conversations.ListModelsAsync(
            new ListModelsRequest(), Alice, cancellationToken: Cancellation)).Models
            .Select(model => model.ModelId).SequenceEqual(models))
        {
            await Task.Delay(50, Cancellation);
        }
    }

    /// <summary>The unary calls of herd.v1 as JSON over HTTP.</summary>
    [Fact]
    public async Task Transcoding_OfUnaryCalls_IsHerdV1()
    {
        using var http = new HttpClient
        {
            BaseAddress = new Uri(cluster.Http),
            DefaultRequestHeaders = { Authorization = new("Bearer", TinyCluster.Alice) },
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
            DefaultRequestHeaders = { Authorization = new("Bearer", TinyCluster.Alice) },
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

    [Fact]
    public async Task Converse_PromptOverContext_SaysBothNumbersAndLosesNothing()
    {
        var id = await NewConversation();

        var error = await Refused(
            () => Converse(new ConverseRequest { ConversationId = id, Text = new string('x', 5000) }, Alice));

        Assert.Equal(StatusCode.FailedPrecondition, error.StatusCode);
        var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>();
        Assert.Equal(("herd", "ContextOverflow", "2048"), (info.Domain, info.Reason, info.Metadata["context_tokens"]));
        Assert.True(
            int.Parse(info.Metadata["prompt_tokens"], System.Globalization.CultureInfo.InvariantCulture) > 5000);
        await Converse(new ConverseRequest { ConversationId = id, Text = "short", MaxTokens = 4 }, Alice);
        var stored = await cluster.Conversations.GetConversationAsync(
            new GetConversationRequest { ConversationId = id }, Alice, cancellationToken: Cancellation);
        Assert.Equal([TurnState.Failed, TurnState.Completed], stored.Conversation.Turns.Select(turn => turn.State));
    }

    [Theory]
    [InlineData("text", "")]
    [InlineData("turn_id", "hi", "a b")]
    [InlineData("sampling.temperature", "hi", null, -1f)]
    [InlineData("sampling.temperature", "hi", null, float.NaN)]
    [InlineData("sampling.temperature", "hi", null, float.PositiveInfinity)]
    [InlineData("max_tokens", "hi", null, null, -5)]
    public async Task Converse_BadField_IsRefusedByName(
        string field, string text, string? turnId = null, float? temperature = null, int? maxTokens = null)
    {
        var request =
            new ConverseRequest { ConversationId = await NewConversation(), Text = text, Sampling = new Sampling() };
        if (turnId is not null)
        {
            request.TurnId = turnId;
        }

        if (temperature is { } t)
        {
            request.Sampling.Temperature = t;
        }

        if (maxTokens is { } m)
        {
            request.MaxTokens = m;
        }

        var error = await Refused(() => Converse(request, Alice));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal(field, error.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations.Single().Field);
    }

    [Fact]
    public async Task CreateAndList_BadInput_IsRefused()
    {
        var model = await Refused(() => cluster.Conversations.CreateConversationAsync(
            new CreateConversationRequest { Model = "nobody" }, Alice, cancellationToken: Cancellation).ResponseAsync);
        var size = await Refused(() => cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest { PageSize = -1 }, Alice, cancellationToken: Cancellation).ResponseAsync);
        var token = await Refused(() => cluster.Conversations.ListConversationsAsync(
            new ListConversationsRequest { PageToken = "x" }, Alice, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(
            (StatusCode.NotFound, StatusCode.InvalidArgument, StatusCode.InvalidArgument),
            (model.StatusCode, size.StatusCode, token.StatusCode));
        Assert.Contains("tiny", model.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":"nobody","messages":[{"role":"user","content":"hi"}]}""", 404, "model_not_found", "model")]
    [InlineData("""{"model":"tiny","messages":[]}""", 400, null, "messages")]
    [InlineData("""{"model":"tiny","messages":[{"role":"wizard","content":"hi"}]}""", 400, null, "messages[0].role")]
    [InlineData(
        """{"model":"tiny","messages":[{"role":"user","content":"hi"}],"max_tokens":-1}""", 400, null, "max_tokens")]
    [InlineData("""{"model":"tiny",""", 400, null, null)]
    public async Task Completions_BadInput_IsOpenAisErrorObject(
        string body, int status, string? code, string? parameter)
    {
        using var response = await Post(body);

        var error = (await Json(response)).GetProperty("error");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(
            ("invalid_request_error", code),
            (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal(parameter, error.GetProperty("param").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Completions_PromptOverContext_SaysBothNumbers()
    {
        using var response = await Post(
            $$"""{"model":"tiny","stream":true,"messages":[{"role":"user","content":"{{new string('x', 5000)}}"}]}""");

        var error = (await Json(response)).GetProperty("error");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Equal(2048, error.GetProperty("n_ctx").GetInt32());
        Assert.True(error.GetProperty("n_prompt_tokens").GetInt32() > 5000);
    }

    [Fact]
    public async Task Completions_BodyOverLimit_IsTooLarge()
    {
        using var response =
            await Post($$"""{"model":"tiny","messages":[{"role":"user","content":"{{new string('x', 5 << 20)}}"}]}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", (await Json(response)).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Converse_MessageOverLimit_IsTooLarge()
    {
        var error = await Refused(async () => await Converse(
            new ConverseRequest { ConversationId = await NewConversation(), Text = new string('x', 5 << 20) }, Alice));

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
    }

    [Fact]
    public async Task Logs_AfterConversations_HoldNothingOfThem()
    {
        const string Canary = "canary-7f3a91";
        await Converse(
            new ConverseRequest { ConversationId = await NewConversation(), Text = Canary, MaxTokens = 2 }, Alice);
        using var refused =
            await Post($$"""{"model":"tiny","messages":[{"role":"{{Canary}}","content":"{{Canary}}"}]}""");

        foreach (var log in Directory.GetFiles(Path.Combine(cluster.Home, "logs")))
        {
            Assert.DoesNotContain(Canary, await File.ReadAllTextAsync(log, Cancellation), StringComparison.Ordinal);
        }
    }

    private async Task<string> NewConversation() =>
        (await cluster.Conversations.CreateConversationAsync(
            new CreateConversationRequest(), Alice, cancellationToken: Cancellation)).Conversation.ConversationId;

    private async Task<string> Answer(string text) => (await Converse(
        new ConverseRequest
        {
            ConversationId = await NewConversation(),
            Text = text,
            MaxTokens = 40,
            Sampling = new Sampling { Temperature = 0 },
        }, Alice)).Answer;

    private async Task<Turn> Converse(ConverseRequest request, Metadata tenant)
    {
        using var call = cluster.Conversations.Converse(request, tenant, cancellationToken: Cancellation);
        Turn? turn = null;
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            turn = update.Completed?.Turn;
        }

        return turn!;
    }

    private static Task<RpcException> Refused(Func<Task> call) => Assert.ThrowsAsync<RpcException>(call);

    private async Task<HttpResponseMessage> Post(string body)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{cluster.Http}/v1/chat/completions")
        {
            Content = new StringContent(body),
            Headers = { Authorization = new("Bearer", TinyCluster.Alice) },
        };
        return await http.SendAsync(request, Cancellation);
    }

    private static async Task<JsonElement> Json(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
}
