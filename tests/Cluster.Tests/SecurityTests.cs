using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Herd.V1;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>
/// The attacks of docs/security.md that only real processes can show. The page names the tests of the others.
/// </summary>
[Collection(nameof(TinyCluster))]
public sealed class SecurityTests(TinyCluster cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Other servers take a client's template at every interface.</summary>
    [Theory]
    [InlineData("/v1/chat/completions", """ "messages":[{"role":"user","content":"hi"}] """)]
    [InlineData("/v1/completions", """ "prompt":"hi" """)]
    [InlineData("/v1/responses", """ "input":"hi" """)]
    [InlineData("/v1/messages", """ "max_tokens":1,"messages":[{"role":"user","content":"hi"}] """)]
    [InlineData("/v1/messages/count_tokens", """ "messages":[{"role":"user","content":"hi"}] """)]
    [InlineData("/api/chat", """ "messages":[{"role":"user","content":"hi"}] """, "template")]
    [InlineData("/api/generate", """ "prompt":"hi" """, "template")]
    [InlineData("/apply-template", """ "messages":[{"role":"user","content":"hi"}] """)]
    public async Task Template_FromAClient_IsRefusedByItsName(string path, string fields, string? own = null)
    {
        foreach (var (name, value) in new[]
        {
            ("chat_template", "\"{{ 1 }}\""), ("chat_template_kwargs", """{"x":1}"""), (own, "\"{{ .Prompt }}\""),
        })
        {
            if (name is not null)
            {
                await AssertRefused(path, $$"""{"model":"tiny","{{name}}":{{value}},{{fields}}}""", $"'{name}'");
            }
        }

        using var plain = await cluster.Post(path, $$"""{"model":"tiny",{{fields}}}""");
        Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
    }

    /// <summary>Only the operators' port serves operators' calls. The Host header changes nothing.</summary>
    [Fact]
    public async Task AdminCall_AtThePublicPort_IsRefused()
    {
        var clients = new ClusterService.ClusterServiceClient(cluster.Channel);
        var host = new Metadata
        {
            { "authorization", $"Bearer {Alice}" },
            { "host", $"127.0.0.1:{AdminPort}" },
        };
        foreach (var headers in new[] { AsAlice, host })
        {
            var list = await Assert.ThrowsAsync<RpcException>(() =>
                clients.ListNodesAsync(new ListNodesRequest(), headers, cancellationToken: Cancellation).ResponseAsync);
            var drain = await Assert.ThrowsAsync<RpcException>(() => clients.DrainNodeAsync(
                new DrainNodeRequest { Node = "node-1" }, headers, cancellationToken: Cancellation).ResponseAsync);
            Assert.Equal(
                (StatusCode.PermissionDenied, StatusCode.PermissionDenied), (list.StatusCode, drain.StatusCode));
        }
    }

    [Fact]
    public async Task AdminPort_AskedForMoreOrByOthers_Refuses()
    {
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{AdminPort}");
        var admin = new ClusterService.ClusterServiceClient(channel);

        var error =
            await Assert.ThrowsAsync<RpcException>(() => new ConversationService.ConversationServiceClient(channel)
                .ListModelsAsync(new ListModelsRequest(), AsOperator, cancellationToken: Cancellation).ResponseAsync);
        var stranger = await Assert.ThrowsAsync<RpcException>(
            () => admin.ListNodesAsync(new ListNodesRequest(), AsAlice, cancellationToken: Cancellation).ResponseAsync);

        Assert.Equal(
            (StatusCode.PermissionDenied, StatusCode.Unauthenticated), (error.StatusCode, stranger.StatusCode));
        Assert.NotEmpty(
            (await admin.ListNodesAsync(new ListNodesRequest(), AsOperator, cancellationToken: Cancellation)).Nodes);
    }

    /// <summary>
    /// A client asks for eight long answers with all log probabilities, 17 MB, and reads nothing. The gateway does not
    /// wait for it.
    /// </summary>
    [Fact]
    public async Task SlowClient_WhoDoesNotRead_IsCutOff()
    {
        using var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync("127.0.0.1", cluster.HttpPort, Cancellation);
        const string Body = """{"model":"tiny","stream":true,"n":8,"ignore_eos":true,"max_tokens":1900,"logprobs":"""
            + """true,"top_logprobs":20,"messages":[{"role":"user","content":"hi"}]}""";
        var request =
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: "
                + $"Bearer {Alice}\r\nContent-Type: "
                + $"application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);

        await UntilStreams(streams => streams > 0);
        await UntilStreams(streams => streams == 0);

        Assert.DoesNotContain("[DONE]", await Rest(client), StringComparison.Ordinal);
    }

    /// <summary>Waits until the gateway streams the given number of answers.</summary>
    private async Task UntilStreams(Func<double, bool> holds)
    {
        using var http = new HttpClient
        {
            DefaultRequestHeaders = { Authorization = new("Bearer", Operator) },
        };
        await Poll.Until(
            async () => (await http.GetStringAsync($"{cluster.Http}/metrics", Cancellation)).Split('\n')
                .SingleOrDefault(line => line.StartsWith("herd_streams{", StringComparison.Ordinal)),
            streams => streams is not null
                && holds(double.Parse(streams.Split("} ")[1].Split(' ')[0], CultureInfo.InvariantCulture)));
    }

    /// <summary>Reads the rest of the connection.</summary>
    private static async Task<string> Rest(TcpClient client)
    {
        var read = new MemoryStream();
        try
        {
            await client.GetStream().CopyToAsync(read, Cancellation);
        }
        catch (IOException)
        {
            // The gateway closed the connection.
        }

        return Encoding.ASCII.GetString(read.ToArray());
    }

    /// <summary>
    /// The number of cached tokens would show a shared KV cache. A tenant is served from its own KV caches only.
    /// </summary>
    [Fact]
    public async Task PrefixCache_OfAnotherTenant_TellsNothing()
    {
        var secret = $"{Guid.NewGuid()} {string.Concat(Enumerable.Repeat("some long beginning ", 20))}";

        // The turns reach all nodes. After a few, each node has computed the prompt for Alice.
        var own = new List<int>();
        for (var i = 0; i < 6; i++)
        {
            own.Add(await Cached(Alice, $"{secret}{i}"));
        }

        Assert.Equal(0, await Cached(Bob, secret + "bob"));
        Assert.Contains(own, cached => cached > 100);
    }

    /// <summary>The gateway refuses each request at little cost and goes on.</summary>
    [Theory]
    [InlineData("""{"model":"tiny","n":1000000000,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"tiny","max_tokens":-1,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData(
        """{"model":"tiny","stop":"""
            + """["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"],"messages":["""
            + """{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"tiny","top_logprobs":1000,"logprobs":true,"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"model":"tiny","logit_bias":{"0":1e9},"messages":[{"role":"user","content":"x"}]}""")]
    public async Task Exhaustion_ByNumbers_IsRefused(string body)
    {
        using var response = await cluster.Post("/v1/chat/completions", body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    /// <summary>DEEP stands where the interface takes any value, so nothing else refuses it.</summary>
    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"tiny","messages":[{"role":"user","content":DEEP}]}""")]
    [InlineData("/v1/completions", """{"model":"tiny","prompt":DEEP}""")]
    [InlineData("/v1/embeddings", """{"model":"tiny","input":DEEP}""")]
    [InlineData("/v1/responses", """{"model":"tiny","input":DEEP}""")]
    [InlineData("/v1/messages", """{"model":"tiny","max_tokens":1,"messages":[{"role":"user","content":DEEP}]}""")]
    [InlineData("/api/chat", """{"model":"tiny","messages":[],"format":DEEP}""")]
    [InlineData("/api/embed", """{"model":"tiny","input":DEEP}""")]
    public async Task Exhaustion_ByDepth_IsRefused(string path, string body)
    {
        var deep = new string('[', 5000) + new string(']', 5000);

        await AssertRefused(path, body.Replace("DEEP", deep, StringComparison.Ordinal), "nested too deeply");
    }

    [Theory]
    [InlineData("""{"type":"string","pattern":"(a+)+$"}""")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"type":"object","properties":[]}""")]
    [InlineData("""{"type":"object","properties":{},"required":[5]}""")]
    [InlineData("""{"const":"\ud800"}""")]
    [InlineData("""{"properties":{"a":{"$ref":"#"}},"required":["a"]}""")]
    public async Task BadSchema_IsRefused(string schema)
    {
        using var response = await cluster.Post("/v1/chat/completions", WithSchema(schema, "\"max_tokens\":4"));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith(
            "response_format",
            (await Json(response)).GetProperty("error").GetProperty("param").GetString(),
            StringComparison.Ordinal);
    }

    /// <summary>
    /// Two arrays that refer to each other can be read in 2^n ways at depth n. A bias for the bracket leads there.
    /// </summary>
    [Fact]
    public async Task GrammarBomb_Schema_DelaysNobody()
    {
        const string Bomb =
            """
            {"$ref":"#/$defs/a","$defs":{
            "a":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}},
            "b":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}}}}
            """;

        using var response = await cluster.Post(
            "/v1/chat/completions",
            WithSchema(Bomb, "\"max_tokens\":200,\"temperature\":0,\"logit_bias\":{\"95\":100}"));

        var choice = (await Json(response)).GetProperty("choices")[0];
        Assert.Equal(new string('[', 200), choice.GetProperty("message").GetProperty("content").GetString());
    }

    private static string WithSchema(string schema, string settings) =>
        $$"""{"model":"tiny",{{settings}},"messages":[{"role":"user","content":"x"}],"""
            + $$"""  "response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{{schema}} } } }""";

    /// <summary>
    /// The content of conversations is in no log, metric, header or error, at every interface and after every failure.
    /// </summary>
    [Fact]
    public async Task Canary_ByEveryInterface_ShowsNowhere()
    {
        const string Canary = "canary-51b2e07d";
        var texts = new List<string>();
        foreach (var (path, body) in new[]
        {
            ("/v1/chat/completions",
                $$"""{"model":"tiny","max_tokens":2,"messages":[{"role":"user","content":"{{Canary}}"}]}"""),
            ("/v1/chat/completions",
                $$"""{"model":"tiny","messages":[{"role":"{{Canary}}","content":"{{Canary}}"}]}"""),
            ("/v1/chat/completions", $$"""{"model":"tiny","messages":[{"role":"user","content":"{{Canary}}" """),
            ("/v1/chat/completions",
                $$"""{"model":"tiny","max_tokens":2,"tools":"""
                    + $$"""[{"type":"function","function":{"name":"f","description":"{{Canary}}","strict":"""
                    + $$"""true,"parameters":{"minProperties":1} } }],"tool_choice":"required","messages":"""
                    + $$"""[{"role":"user","content":"x"}]}"""),
            ("/v1/completions", $$"""{"model":"tiny","max_tokens":2,"prompt":"{{Canary}}"}"""),
            ("/v1/responses", $$"""{"model":"tiny","max_output_tokens":2,"input":"{{Canary}}"}"""),
            ("/v1/responses", $$"""{"model":"tiny","input":[{"role":"user","content":[{"type":"{{Canary}}"}]}]}"""),
            ("/v1/messages",
                $$"""{"model":"tiny","max_tokens":2,"messages":[{"role":"user","content":"{{Canary}}"}]}"""),
            ("/v1/messages",
                $$"""{"model":"tiny","max_tokens":2,"messages":[{"role":"user","content":[{"type":"{{Canary}}"}]}]}"""),
            ("/api/chat", $$"""{"model":"tiny","stream":false,"options":{"num_predict":2},"messages":"""
                + $$"""[{"role":"user","content":"{{Canary}}"}]}"""),
            ("/api/generate", $$"""{"model":"tiny","stream":false,"options":{"num_predict":"""
                + $$"""2},"prompt":"{{Canary}}","format":"{{Canary}}"}"""),
            ("/tokenize", $$"""{"content":"{{Canary}}"}"""),
        })
        {
            using var response = await cluster.Post(path, body);
            texts.AddRange(response.Headers.SelectMany(header => header.Value));
            if (!response.IsSuccessStatusCode)
            {
                texts.Add(await response.Content.ReadAsStringAsync(Cancellation));
            }
        }

        texts.AddRange(Directory.GetFiles(Path.Combine(cluster.Home, "logs")).Select(File.ReadAllText));
        Assert.All(texts, text => Assert.DoesNotContain(Canary, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Logs_AfterConversations_HoldNothingOfThem()
    {
        const string Canary = "canary-7f3a91";
        await cluster.Converse(
            new ConverseRequest { ConversationId = await cluster.NewConversation(), Text = Canary, MaxTokens = 2 });
        using var refused =
            await cluster.Complete($$"""{"model":"tiny","messages":[{"role":"{{Canary}}","content":"{{Canary}}"}]}""");

        foreach (var log in Directory.GetFiles(Path.Combine(cluster.Home, "logs")))
        {
            Assert.DoesNotContain(Canary, await File.ReadAllTextAsync(log, Cancellation), StringComparison.Ordinal);
        }
    }

    private int AdminPort => cluster.Port("gateway-1", "--Gateway:AdminPort");

    private async Task<int> Cached(string key, string text)
    {
        using var response = await cluster.Post(
            "/v1/chat/completions", $$"""{"model":"tiny","max_tokens":1,"messages":"""
                + $$"""[{"role":"system","content":"{{text}}"},{"role":"user","content":"x"}]}""", key);
        return (await Json(response)).GetProperty("usage")
            .GetProperty("prompt_tokens_details")
            .GetProperty("cached_tokens")
            .GetInt32();
    }

    /// <summary>Asserts that the request is a bad one, for this reason.</summary>
    private async Task AssertRefused(string path, string body, string reason)
    {
        using var response = await cluster.Post(path, body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = (await Json(response)).GetProperty("error");
        var message = error.ValueKind == JsonValueKind.Object ? error.GetProperty("message") : error;
        Assert.Contains(reason, message.GetString(), StringComparison.Ordinal);
    }
}
