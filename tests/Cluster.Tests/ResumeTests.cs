using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Herd.V1;
using static Herd.Cluster.Tests.TwoGateways;

namespace Herd.Cluster.Tests;

/// <summary>Clients that lost their connection get the rest of the answer.</summary>
[Collection(nameof(TwoGateways))]
public sealed class ResumeTests(TwoGateways cluster)
{
    private const int Tokens = 150;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

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
        await cluster.Restore();
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
}
