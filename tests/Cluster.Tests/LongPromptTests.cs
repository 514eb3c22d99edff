using Grpc.Core;
using Herd.V1;
using static Herd.Testing.ApiKeys;

namespace Herd.Cluster.Tests;

/// <summary>Long prompts of several tenants at once, on a simulated node that takes as long as a real one.</summary>
public sealed class LongPromptTests : HerdCluster, IAsyncLifetime
{
    private const int LongPrompt = 7000;
    private static readonly string[] Tenants = ["a", "b", "c"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (var tenant in Tenants)
        {
            SetEnvironment($"Gateway__Tenants__{tenant}", Hash(tenant));
        }

        SetEnvironment("HERD_API_KEY", "a");
        SetEnvironment("Gateway__MaxPredictedWait", "00:00:01");
        await Up("--nodes", "1", "--runtime", "simulated:1", "--context", "8192", "--slots", "4");
    }

    /// <summary>
    /// A chat of 32 tokens is admitted and has its first token while the prompts of two others are computed. A second
    /// long prompt of a tenant would wait for its first one, and is refused.
    /// </summary>
    [Fact]
    public async Task Converse_ShortPromptBesideLongOnesOfTwoTenants_IsAnsweredFirst()
    {
        using var first = await Converse("a", LongPrompt);
        using var second = await Converse("b", LongPrompt);
        await WaitForStart(first);
        await WaitForStart(second);
        var answers = new[] { WaitForText(first), WaitForText(second) };

        using var chat = await Converse("c", 32);
        await WaitForText(chat);
        using var more = await Converse("a", LongPrompt);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => WaitForStart(more));

        Assert.DoesNotContain(answers, answer => answer.IsCompleted);
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
    }

    /// <summary>Sends the first message of a new conversation. A character is a token.</summary>
    private async Task<AsyncServerStreamingCall<ConverseResponse>> Converse(string tenant, int characters)
    {
        var headers = new Metadata { { "authorization", $"Bearer {tenant}" } };
        var conversation = (await Conversations.CreateConversationAsync(
            new CreateConversationRequest(), headers, cancellationToken: Cancellation)).Conversation;
        var text = string.Concat(Enumerable.Range(0, characters).Select(i => (char)('a' + (i * i % 26))));
        var request = new ConverseRequest
        {
            ConversationId = conversation.ConversationId, Text = text, MaxTokens = 8,
        };
        return Conversations.Converse(request, headers, cancellationToken: Cancellation);
    }

    private static async Task WaitForStart(AsyncServerStreamingCall<ConverseResponse> call) =>
        Assert.True(await call.ResponseStream.MoveNext(Cancellation));

    private static async Task WaitForText(AsyncServerStreamingCall<ConverseResponse> call)
    {
        while (await call.ResponseStream.MoveNext(Cancellation))
        {
            if (call.ResponseStream.Current.Delta is { Text.Length: > 0 })
            {
                return;
            }
        }
    }
}
