using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Herd.V1;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>
/// Nodes are killed, frozen and drained during answers and between turns. No token is lost or repeated, and sessions
/// stay warm.
/// </summary>
public sealed class FailoverTests(TwoGateways cluster) : IClassFixture<TwoGateways>
{
    private const int Tokens = 150;
    private const string Story = "Tell me a very long story about a dragon.";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Converse_HomeFrozenInMidStream_GoesOnElsewhereAndTheNodeComesBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        var home = (await cluster.Say(conversation, "Hello.", maxTokens: 4)).Node;

        var turn = await cluster.Say(
            conversation, Story, maxTokens: Tokens, ignoreEnd: true, onDelta: Once(() => cluster.Freeze(home)));
        await cluster.Continue(home);

        Assert.NotEqual(home, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        await cluster.WaitForNodes(2);
        Assert.Equal(turn.Node, (await cluster.Say(conversation, "And then?", maxTokens: 4)).Node);
    }

    /// <summary>The process answers and its links report. Only its engine hangs in a step.</summary>
    [Fact]
    public async Task Converse_EngineHangsInMidStream_GoesOnElsewhereAndTheNodeComesBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        var home = (await cluster.Say(conversation, "Hello.", maxTokens: 4)).Node;
        StoppedThread? engine = null;

        var turn = await cluster.Say(
            conversation, Story, maxTokens: Tokens, ignoreEnd: true, onDelta: Once(() =>
            {
                engine = new StoppedThread(cluster.Pid(home), "herd engine");
                return Task.CompletedTask;
            }));
        var nodes = (await cluster.Run("nodes")).Output;
        engine!.Dispose();

        Assert.NotEqual(home, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        Assert.Contains("STALLED", nodes, StringComparison.Ordinal);
        await cluster.WaitForNodes(2);
        Assert.Equal(turn.Node, (await cluster.Say(conversation, "And then?", maxTokens: 4)).Node);
    }

    [Fact]
    public async Task Drain_InMidStream_GoesOnElsewhereWithItsKvCache()
    {
        var conversation = (await cluster.New()).ConversationId;
        var home = (await cluster.Say(conversation, Story, maxTokens: 60)).Node;

        var turn = await cluster.Say(
            conversation,
            "Go on.",
            temperature: 0.7f,
            maxTokens: Tokens,
            ignoreEnd: true,
            onDelta: Once(() => cluster.Drain(home)));
        await cluster.WaitForEnd(home);

        Assert.NotEqual(home, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        var placement = (await cluster.Placements(conversation))[^1];
        Assert.Equal((PlacementReason.NodeDrains, home, turn.Node), (placement.Reason, placement.Home, placement.Node));
        Assert.True(placement.Move.Tokens > 60, placement.Move.Failure);
        Assert.Contains("NodeDrains", (await cluster.Run("why", conversation)).Output, StringComparison.Ordinal);
        await cluster.Up("--gateways", "2");
    }

    [Fact]
    public async Task Drain_SessionsAtRest_AreWarmElsewhere()
    {
        var first = new List<Turn>();
        var conversations = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            conversations.Add((await cluster.New()).ConversationId);
            first.Add(await cluster.Say(conversations[i], $"{Story} Number {i}.", maxTokens: 40));
        }

        var home = first[0].Node;
        var preview = await cluster.Run("drain", home, "--preview");
        Assert.StartsWith("would move 0 running answers", preview.Output, StringComparison.Ordinal);
        await cluster.Run("drain", home);
        await cluster.WaitForEnd(home);

        for (var i = 0; i < conversations.Count; i++)
        {
            var second = await cluster.Say(conversations[i], "Go on.", maxTokens: 4);
            Assert.NotEqual(home, second.Node);
            AssertWarm(first[i], second);
        }

        await cluster.Up("--gateways", "2");
    }

    [Fact]
    public async Task Move_Conversation_IsWarmThere()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, Story, maxTokens: 40);
        var other = first.Node == "node-1" ? "node-2" : "node-1";

        var moved = await cluster.Run("move", conversation, "--node", other);
        var second = await cluster.Say(conversation, "Go on.", maxTokens: 4);

        Assert.StartsWith($"{first.Node} -> {other}: ", moved.Output, StringComparison.Ordinal);
        Assert.Equal(other, second.Node);
        AssertWarm(first, second);
        Assert.Equal(2, (await cluster.Read(conversation)).Epoch);
        Assert.StartsWith(
            "It stays", (await cluster.Run("move", conversation, "--node", other)).Output, StringComparison.Ordinal);
        Assert.Equal(
            "herd: There is no node 'node-9'. List the nodes to see their names.\n",
            (await cluster.Run("move", conversation, "--node", "node-9")).Error);
    }

    /// <param name="drains">True to drain the node that holds the delivered part before the client reconnects.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Converse_GatewayKilledInMidStream_ClientGetsTheRestFromTheOther(bool drains)
    {
        var conversation = (await cluster.New()).ConversationId;
        var answer = new StringBuilder();
        var (tokens, epoch) = (0, 0L);
        var request = new ConverseRequest
        {
            ConversationId = conversation, Text = Story, TurnId = "turn-a", MaxTokens = Tokens,
            Sampling = new Sampling { Temperature = 0.8f, Seed = 7, IgnoreEos = true },
        };
        Turn? turn = null;
        var home = "";

        async Task Read(ConversationService.ConversationServiceClient gateway, Func<Task>? onDelta)
        {
            request.Resume = new AnswerOffset
            {
                Bytes = Encoding.UTF8.GetByteCount(answer.ToString()),
                Tokens = tokens,
                Epoch = epoch,
            };
            using var call = gateway.Converse(request, cancellationToken: Cancellation);
            await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
            {
                answer.Append(update.Delta?.Text);
                tokens += update.Delta?.Tokens ?? 0;
                epoch = update.Delta?.Epoch ?? epoch;
                home = update.Started?.Node ?? home;
                turn = update.Completed?.Turn;
                if (tokens > 10 && onDelta is not null)
                {
                    await onDelta();
                    onDelta = null;
                }
            }
        }

        await Assert.ThrowsAnyAsync<Exception>(() => Read(cluster.Conversations, () => cluster.Kill("gateway-1")));
        Assert.InRange(tokens, 10, Tokens - 1);
        if (drains)
        {
            await cluster.Drain(home, "gateway-2");
            await cluster.WaitForEnd(home);
        }

        await Read(cluster.OtherConversations, onDelta: null);

        Assert.Equal((TurnState.Completed, Tokens), (turn!.State, turn.Usage.CompletionTokens));
        Assert.Equal((turn.Answer, Tokens), (answer.ToString(), tokens));
        await cluster.Up("--gateways", "2");
    }

    [Fact]
    public async Task Resume_UnknownTurn_SaysSo()
    {
        var request = new ConverseRequest
        {
            ConversationId = (await cluster.New()).ConversationId, Text =
                "Hello.", TurnId = "turn-x", Resume = new AnswerOffset { Bytes = 3, Tokens = 1 },
        };

        using var call = cluster.Conversations.Converse(request, cancellationToken: Cancellation);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("without an offset", error.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>An SSE client that lost its connection sends the id of the last event that it received.</summary>
    [Fact]
    public async Task Completions_ConnectionLost_LastEventIdGetsTheRest()
    {
        using var http = new HttpClient { BaseAddress = new Uri(cluster.Http) };
        var body = $$"""{"model":"smollm2-135m-instruct","stream":true,"seed":3,"ignore_eos":true,"max_tokens":"""
            + $$"""60,"user":"{{Guid.NewGuid()}}","messages":[{"role":"user","content":"{{Story}}"}]}""";

        var (begun, id, _) = await ReadEvents(http, body, after: null, most: 8);
        var (rest, _, finish) = await ReadEvents(http, body, after: id, most: int.MaxValue);
        var (whole, _, _) = await ReadEvents(
            http,
            body,
            after: id[..(id.IndexOf('.', id.IndexOf('.', StringComparison.Ordinal) + 1) + 1)] + "0.0.0",
            most: int.MaxValue);

        Assert.NotEmpty(begun);
        Assert.Equal("length", finish);
        Assert.Equal(whole, begun + rest);
    }

    /// <summary>
    /// Without the cluster's key nobody can listen or call, neither at a node's link nor at Orleans' ports.
    /// </summary>
    [Theory]
    [InlineData("--Cluster:LinkPort")]
    [InlineData("--Cluster:SiloPort")]
    public async Task Port_WithoutTheClustersCertificate_LetsNobodyIn(string port)
    {
        foreach (var certificate in new[] { null, Strangers() })
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync("127.0.0.1", cluster.Port("node-1", port), Cancellation);
            await using var tls = new SslStream(connection.GetStream());
            var refusal = await Record.ExceptionAsync(async () =>
            {
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = "herd-cluster",
                        ClientCertificates = certificate is null ? [] : [certificate],
                        RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Subject == "CN=herd-cluster",
                    },
                    Cancellation);
                await tls.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), Cancellation);
                Assert.Equal(0, await tls.ReadAsync(new byte[1], Cancellation));
            });

            Assert.True(refusal is null or IOException or AuthenticationException, refusal?.ToString());
            certificate?.Dispose();
        }
    }

    private static X509Certificate2 Strangers()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=herd-cluster", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    [Fact]
    public async Task Converse_StoreIsAway_GoesOnAndLandsWhenItIsBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        await cluster.Say(conversation, "Hello.", maxTokens: 4);
        await cluster.Kill("store");

        var request = new ConverseRequest
        {
            ConversationId = conversation, Text =
                "Still there?", TurnId = "turn-away", MaxTokens = 8, Sampling = new Sampling { Temperature = 0 },
        };
        TurnCompleted? completed = null;
        using (var call = cluster.Conversations.Converse(request, cancellationToken: Cancellation))
        {
            await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
            {
                completed = update.Completed;
            }
        }

        Assert.Equal((TurnState.Completed, true), (completed!.Turn.State, completed.Unsaved));
        await cluster.Up("--gateways", "2");
        await using var redis = await ConnectionMultiplexer.ConnectAsync(cluster.Store);
        string stored;
        do
        {
            stored = (await redis.GetDatabase()
                .HashGetAsync($"herd:conversation:default/{conversation}", "turn:1")).ToString();
        }
        while (!stored.Contains("\"state\":\"Completed\"", StringComparison.Ordinal));

        Assert.Contains("turn-away", stored, StringComparison.Ordinal);
        Assert.False((await cluster.Read(conversation)).Turns[1].Answer.Length == 0);
    }

    [Fact]
    public async Task Up_StoreDoesNotAnswer_WaitsForIt()
    {
        await cluster.Freeze("store");
        using var up = cluster.StartUp("--gateways", "2");
        string? line;
        do
        {
            line = await up.StandardOutput.ReadLineAsync(Cancellation);
        }
        while (line is not null && !line.Contains("the store is starting", StringComparison.Ordinal));

        await cluster.Continue("store");
        await up.WaitForExitAsync(Cancellation);

        Assert.NotNull(line);
        Assert.Equal(0, up.ExitCode);
    }

    private static Func<string, int, Task> Once(Func<Task> action)
    {
        var done = false;
        return async (_, tokens) =>
        {
            if (tokens >= 10 && !done)
            {
                done = true;
                await action();
            }
        };
    }

    private static async Task<(string Text, string Id, string? Finish)> ReadEvents(
        HttpClient http, string body, string? after, int most)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body, MediaTypeHeaderValue.Parse("application/json")),
        };
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        var (text, id, finish, events) = (new StringBuilder(), "", (string?)null, 0);
        while (await reader.ReadLineAsync(Cancellation) is { } line && events < most)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("data: {", StringComparison.Ordinal))
            {
                using var chunk = JsonDocument.Parse(line[6..]);
                var choice = chunk.RootElement.GetProperty("choices")[0];
                text.Append(choice.GetProperty("delta").TryGetProperty("content", out var content)
                    ? content.GetString()
                    : "");
                finish = choice.GetProperty("finish_reason").GetString() ?? finish;
                events++;
            }
        }

        return (text.ToString(), id, finish);
    }

    private static void AssertWarm(Turn first, Turn second) => Assert.True(
        second.Usage.CachedTokens >= first.Usage.PromptTokens + first.Usage.CompletionTokens - 1,
        string.Create(CultureInfo.InvariantCulture, $"{second.Usage.CachedTokens} of {first.Usage.PromptTokens} "
            + $"+ {first.Usage.CompletionTokens} tokens were kept."));
}
