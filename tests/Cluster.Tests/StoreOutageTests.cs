using Grpc.Core;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>A store that is killed or does not respond.</summary>
[Collection(nameof(TwoGateways))]
public sealed class StoreOutageTests(TwoGateways cluster)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Converse_StoreIsAway_GoesOnAndLandsWhenItIsBack()
    {
        var conversation = (await cluster.New()).ConversationId;
        await cluster.Say(conversation, "Hello.", maxTokens: 4);
        await cluster.Kill("store");

        var request = new ConverseRequest
        {
            ConversationId = conversation,
            Text = "Still there?",
            TurnId = "turn-away",
            MaxTokens = 8,
            Sampling = new Sampling { Temperature = 0 },
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
        await cluster.Restore();
        var stored = await cluster.WaitForStoredTurn(
            conversation, 1, turn => turn.Contains("\"state\":\"Completed\"", StringComparison.Ordinal));

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
}
