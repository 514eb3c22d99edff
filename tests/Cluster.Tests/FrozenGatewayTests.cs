using Grpc.Core;
using Herd.Testing;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>A gateway that was frozen, and whose memory is stale: other gateways continued its conversations.</summary>
public sealed class FrozenGatewayTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        await _cluster.Up("--gateways", "2", "--model", TinyModel.Write(_cluster.NewPath("tiny.gguf")));

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>
    /// The gateway answers requests that waited while it was frozen before it learns that its memory is stale.
    /// </summary>
    [Fact]
    public async Task Read_OthersHaveGoneOn_TellsNothingOld()
    {
        var conversation = (await _cluster.New()).ConversationId;
        await _cluster.Say(conversation, "Hello.", maxTokens: 4);
        await _cluster.Freeze("gateway-1");
        await SayElsewhere(conversation);

        var read = Read(conversation);
        await _cluster.Continue("gateway-1");

        Assert.Equal(["Hello.", "Still there?"], (await read).Turns.Select(turn => turn.Input.Single().Text));
    }

    private async Task SayElsewhere(string conversation)
    {
        using var call = _cluster.OtherConversations.Converse(
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
                return await _cluster.Read(conversation);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Aborted)
            {
                await Task.Delay(100, Cancellation);
            }
        }
    }
}
