using Grpc.Core;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>A gateway that was frozen, and whose memory is stale: other gateways continued its conversations.</summary>
[Collection(nameof(TwoGateways))]
public sealed class FrozenGatewayTests(TwoGateways cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// The gateway answers requests that waited while it was frozen before it learns that its memory is stale.
    /// </summary>
    [Fact]
    public async Task Read_OthersHaveGoneOn_TellsNothingOld()
    {
        var conversation = (await cluster.New()).ConversationId;
        await cluster.Say(conversation, "Hello.", maxTokens: 4);
        await cluster.Freeze("gateway-1");
        await SayElsewhere(conversation);

        var read = Read(conversation);
        await cluster.Continue("gateway-1");

        Assert.Equal(["Hello.", "Still there?"], (await read).Turns.Select(turn => turn.Input.Single().Text));

        // It is about to join again as another member. A new process is ready at once.
        await cluster.Kill("gateway-1");
        await cluster.Restore();
    }

    private async Task SayElsewhere(string conversation)
    {
        using var call = cluster.OtherConversations.Converse(
            new ConverseRequest { ConversationId = conversation, Text = "Still there?", MaxTokens = 4 },
            cancellationToken: Cancellation);
        await foreach (var update in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            Assert.False(update.Completed?.Unsaved ?? false);
        }
    }

    /// <summary>Repeats a call until it succeeds.</summary>
    private async Task<Conversation> Read(string conversation)
    {
        while (true)
        {
            try
            {
                return await cluster.Read(conversation);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Aborted)
            {
                await Task.Delay(100, Cancellation);
            }
        }
    }
}
