using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Herd.V1;
using static Herd.Cluster.Tests.TwoTinyGateways;

namespace Herd.Cluster.Tests;

/// <summary>Limits of tenants hold for two gateways together.</summary>
[Collection(nameof(TwoTinyGateways))]
public sealed class QuotaTests(TwoTinyGateways cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Create_ManyAtOnceAtTwoGateways_AreExactlyTheLimit()
    {
        var created = await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            try
            {
                return (await cluster.At(i).CreateConversationAsync(
                    new CreateConversationRequest(), As(Orderly), cancellationToken: Cancellation))
                    .Conversation.ConversationId;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                return null;
            }
        }));

        var listed = await cluster.At(0).ListConversationsAsync(
            new ListConversationsRequest(), As(Orderly), cancellationToken: Cancellation);
        foreach (var conversation in listed.Conversations)
        {
            await cluster.At(1).DeleteConversationAsync(
                new DeleteConversationRequest { ConversationId = conversation.ConversationId },
                As(Orderly),
                cancellationToken: Cancellation);
        }

        Assert.Equal(3, listed.Conversations.Count);
        Assert.Equal(3, created.Count(id => id is not null));
    }

    /// <summary>Each takes about 18,300 bytes of the 60,000.</summary>
    [Fact]
    public async Task StoredBytes_ManyConversationsAtOnceAtTwoGateways_AreThoseThatFit()
    {
        var system = new string('x', 18_000);
        var refusals = new ConcurrentBag<string>();
        var created = (await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            try
            {
                return (await cluster.At(i).CreateConversationAsync(
                    new CreateConversationRequest { System = system }, As(Compact), cancellationToken: Cancellation))
                    .Conversation.ConversationId;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                refusals.Add(e.Status.Detail);
                return null;
            }
        }))).OfType<string>().ToList();

        // A turn counts with its expected answer.
        using var call = cluster.At(0).Converse(
            new ConverseRequest { ConversationId = created[0], Text = new string('x', 4000), MaxTokens = 64 },
            As(Compact),
            cancellationToken: Cancellation);
        var ofTurn = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Cancellation));
        using var ofResponse = await cluster.Post("/v1/responses", new { model = "tiny", input = system }, Compact);
        foreach (var conversation in created)
        {
            await cluster.At(1).DeleteConversationAsync(
                new DeleteConversationRequest { ConversationId = conversation },
                As(Compact),
                cancellationToken: Cancellation);
        }

        using var stored = await cluster.Post(
            "/v1/responses", new { model = "tiny", input = "Hello.", max_output_tokens = 16 }, Compact);

        Assert.Equal(3, created.Count);
        Assert.Equal([Full], refusals.Append(ofTurn.Status.Detail).Distinct());
        Assert.Equal(HttpStatusCode.TooManyRequests, ofResponse.StatusCode);
        Assert.Contains(Full, await ofResponse.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
    }

    private const string Full =
        "The limit of 60000 stored bytes is reached. Delete conversations that are not needed.";

    [Fact]
    public async Task Tokens_ManyClientsAtTwoGateways_AreWithinFivePercentOfTheLimit()
    {
        var (answered, used, refused) = (0, 0, 0);
        var started = Stopwatch.GetTimestamp();
        var elapsed = TimeSpan.Zero;
        using var http = new HttpClient();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async client =>
        {
            for (var i = 0; Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20); i++)
            {
                var body = new
                {
                    model = "tiny",
                    max_tokens = 32,
                    ignore_eos = true,
                    messages = new[] { new { role = "user", content = $"{client} {i}" } },
                };
                using var response = await cluster.Post(
                    "/v1/chat/completions", body, Frugal, gateway: client, client: http);
                if (response.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    Interlocked.Increment(ref refused);
                    await Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation);
                    continue;
                }

                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                var usage = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("usage");
                var cached = usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
                Interlocked.Add(ref used, usage.GetProperty("total_tokens").GetInt32() - cached);
                Interlocked.Increment(ref answered);
            }
        }));
        elapsed = Stopwatch.GetElapsedTime(started);

        var allowed = TokensPerMinute * (1 + elapsed.TotalMinutes);
        Assert.True(refused > 0, $"{answered} answers of {used} tokens did not reach the limit.");
        Assert.InRange(used / allowed, 0.95, 1.05);
    }
}
