using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>Processes that die. Conversations survive whole.</summary>
public sealed class FailureTests(RealCluster cluster) : IClassFixture<RealCluster>
{
    [Fact]
    public async Task Converse_HomeWasKilled_GoesOnElsewhereWithItsHistory()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        await cluster.Kill(first.Node);

        var second = await cluster.Say(conversation, "And of Italy?");
        var third = await cluster.Say(conversation, "And of Spain?");

        Assert.NotEqual(first.Node, second.Node);
        Assert.Contains("Rome", second.Answer, StringComparison.Ordinal);
        Assert.Equal((second.Node, true), (third.Node, third.Usage.CachedTokens > second.Usage.PromptTokens));
        Assert.Equal([first, second, third], (await cluster.Read(conversation)).Turns);

        await cluster.Up();
        Assert.Equal(2, (await cluster.Run("nodes")).Output.Split("READY").Length - 1);
    }

    [Fact]
    public async Task Converse_HomeKilledInMidStream_GoesOnWithoutLossOrRepetition()
    {
        const int Tokens = 120;
        var conversation = (await cluster.New()).ConversationId;
        var warm = await cluster.Say(conversation, "Hello.", maxTokens: 4);
        var killed = false;

        var turn = await cluster.Say(
            conversation,
            "Tell me a very long story about a dragon.",
            maxTokens: Tokens,
            ignoreEnd: true,
            onDelta: async (_, tokens) =>
            {
                if (tokens >= 10 && !killed)
                {
                    killed = true;
                    await cluster.Kill(warm.Node);
                }
            });

        Assert.True(killed);
        Assert.NotEqual(warm.Node, turn.Node);
        Assert.Equal((TurnState.Completed, Tokens), (turn.State, turn.Usage.CompletionTokens));
        await cluster.Up();
    }

    [Fact]
    public async Task Converse_GatewayKilledAndStartedAgain_GoesOnWhereItWas()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        await cluster.Kill("gateway-1");
        await cluster.Up();

        var second = await cluster.Say(conversation, "And of Italy?");

        Assert.Equal(first.Node, second.Node);
        Assert.True(second.Usage.CachedTokens >= first.Usage.PromptTokens + first.Usage.CompletionTokens - 1);
        Assert.Equal([first, second], (await cluster.Read(conversation)).Turns);
        Assert.Contains(conversation, (await cluster.Run("conversations")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Converse_EverythingStoppedAndStartedAgain_KeepsConversations()
    {
        var conversation = (await cluster.New()).ConversationId;
        var first = await cluster.Say(conversation, "What is the capital of France?");
        Assert.Equal(0, (await cluster.Run("down")).ExitCode);
        await cluster.Up();

        var second = await cluster.Say(conversation, "And of Italy?");

        Assert.Contains("Rome", second.Answer, StringComparison.Ordinal);
        Assert.Equal([first, second], (await cluster.Read(conversation)).Turns);
        AssertWarm(first, second);
    }

    [Fact]
    public async Task Converse_HomeKilledAndStartedAgain_FindsItsKvCacheOnDisk()
    {
        var conversation = (await cluster.New()).ConversationId;
        var known = cluster.KvFiles();
        var first = await cluster.Say(conversation, "What is the capital of France?");
        while (cluster.KvFiles().IsSubsetOf(known))
        {
            // The node writes the KV cache behind, when it is idle.
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        await cluster.Kill(first.Node);
        await cluster.Up();
        var second = await cluster.Say(conversation, "And of Italy?");

        AssertWarm(first, second);
    }

    private static void AssertWarm(Turn first, Turn second)
    {
        Assert.Equal(first.Node, second.Node);
        Assert.True(
            second.Usage.CachedTokens >= first.Usage.PromptTokens + first.Usage.CompletionTokens - 1,
            $"{second.Usage.CachedTokens} of {first.Usage.PromptTokens} + {first.Usage.CompletionTokens} tokens were "
                + "kept.");
    }
}
