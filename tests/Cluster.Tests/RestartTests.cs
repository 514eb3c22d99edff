using static Herd.Cluster.Tests.TwoGateways;

namespace Herd.Cluster.Tests;

/// <summary>Processes that end and are started again. Conversations survive whole.</summary>
[Collection(nameof(TwoGateways))]
public sealed class RestartTests(TwoGateways cluster)
{
    [Fact]
    public async Task Converse_GatewayKilledAndStartedAgain_GoesOnWhereItWas()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        await cluster.Kill("gateway-1");
        await cluster.Restore();

        var second = await cluster.Say(conversation, "And of Italy?");

        Assert.Equal(first.Node, second.Node);
        AssertWarm(first, second);
        Assert.Equal([first, second], (await cluster.Read(conversation)).Turns);
        Assert.Contains(conversation, (await cluster.Run("conversations")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Converse_EverythingStoppedAndStartedAgain_KeepsConversations()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        Assert.Equal(0, (await cluster.Run("down")).ExitCode);
        await cluster.Restore();

        var second = await cluster.Say(conversation, "And of Italy?");

        Assert.Contains("Rome", second.Answer, StringComparison.Ordinal);
        Assert.Equal([first, second], (await cluster.Read(conversation)).Turns);
        Assert.Equal(first.Node, second.Node);
        AssertWarm(first, second);
    }
}
