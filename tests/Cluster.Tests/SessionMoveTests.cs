using Herd.V1;
using static Herd.Cluster.Tests.TwoGateways;

namespace Herd.Cluster.Tests;

/// <summary>Nodes that drain, and conversations that move. Sessions stay warm.</summary>
[Collection(nameof(TwoGateways))]
public sealed class SessionMoveTests(TwoGateways cluster)
{
    private const int Tokens = 150;

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
        await cluster.Restore();
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

        await cluster.Restore();
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
}
