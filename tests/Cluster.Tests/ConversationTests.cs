using System.Text.Json;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>The command line on a healthy cluster.</summary>
[Collection(nameof(RealCluster))]
public sealed class ConversationTests(RealCluster cluster)
{
    [Fact]
    public async Task Chat_CapitalOfFrance_AnswersParis()
    {
        var chat = await cluster.Run("chat", "--temperature", "0", "What is the capital of France?");

        Assert.Equal(0, chat.ExitCode);
        Assert.Equal("The capital of France is Paris, France.\n", chat.Output);
        Assert.Matches(
            @"\[9 tokens, \d+ tokens/s, TTFT \d+ ms, cached \d+ of 37, node-[12], conv_[0-9a-f]{32}\]", chat.Error);
    }

    [Fact]
    public async Task Converse_LaterTurns_FindTheirHistoryCachedOnTheSameNode()
    {
        var conversation = await cluster.New();
        var turns = new List<Turn>();
        foreach (var text in new[] { "What is the capital of France?", "And of Italy?", "And of Spain?" })
        {
            turns.Add(await cluster.Say(conversation.ConversationId, text));
        }

        Assert.Single(turns.Select(turn => turn.Node).Distinct());
        foreach (var (before, turn) in turns.Zip(turns.Skip(1)))
        {
            var earlier = before.Usage.PromptTokens + before.Usage.CompletionTokens;
            Assert.True(
                turn.Usage.CachedTokens >= 0.9 * earlier,
                $"{turn.Usage.CachedTokens} of {earlier} tokens were cached.");
        }

        Assert.Contains("Rome", turns[1].Answer, StringComparison.Ordinal);
        Assert.Equal(turns, (await cluster.Read(conversation.ConversationId)).Turns);
    }

    [Fact]
    public async Task Fork_AtAnEarlierTurn_SharesItsCacheAndGoesItsOwnWay()
    {
        var conversation = await cluster.New();
        var first = await cluster.Say(conversation.ConversationId, "What is the capital of France?");
        await cluster.Say(conversation.ConversationId, "And of Italy?");

        var fork = await cluster.Run("fork", conversation.ConversationId, "--turn", first.TurnId);
        var id = fork.Output.Trim();
        var other = await cluster.Say(id, "And of Spain?");

        var earlier = first.Usage.PromptTokens + first.Usage.CompletionTokens;
        Assert.True(
            other.Usage.CachedTokens >= 0.9 * earlier, $"{other.Usage.CachedTokens} of {earlier} tokens were cached.");
        Assert.Equal(first.Node, other.Node);
        Assert.Contains("Madrid", other.Answer, StringComparison.Ordinal);
        Assert.Equal([first, other], (await cluster.Read(id)).Turns);
        Assert.Equal(
            ["What is the capital of France?", "And of Italy?"],
            (await cluster.Read(conversation.ConversationId)).Turns.Select(turn => turn.Input[0].Text));
    }

    [Fact]
    public async Task Fork_NoSuchTurn_SaysSo()
    {
        var conversation = await cluster.New();

        var fork = await cluster.Run("fork", conversation.ConversationId, "--turn", "turn_x");

        Assert.Equal(1, fork.ExitCode);
        Assert.Equal(
            $"herd: The conversation '{conversation.ConversationId}' has no turn 'turn_x'. "
                + "Read the conversation to see its turns.\n",
            fork.Error);
    }

    [Fact]
    public async Task Nodes_EightConversations_AreSpreadOverBoth()
    {
        var homes = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            var conversation = await cluster.New();
            homes.Add((await cluster.Say(conversation.ConversationId, $"Say {i}.", maxTokens: 2)).Node);
        }

        var sessions = await Sessions();

        Assert.Equal(["node-1", "node-2"], homes.Distinct().Order());
        Assert.All(homes.CountBy(home => home), home => Assert.InRange(home.Value, 3, 5));
        Assert.Equal(["node-1", "node-2"], sessions.Keys.Order());
        Assert.All(sessions.Values, count => Assert.InRange(count, 3, 8));
    }

    [Fact]
    public async Task Converse_SameSeed_GivesSameAnswer()
    {
        var answers = new List<string>();
        foreach (var seed in new ulong[] { 7, 7, 8 })
        {
            var conversation = await cluster.New();
            answers.Add((await cluster.Say(
                conversation.ConversationId, "Tell me a story.", temperature: 1.5f, seed: seed)).Answer);
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.NotEqual(answers[0], answers[2]);
    }

    [Fact]
    public async Task Converse_SameTurnAgain_ReplaysItWithoutTakingItTwice()
    {
        var conversation = await cluster.New();
        var first = await cluster.Say(conversation.ConversationId, "Tell me a joke.", temperature: 1, turnId: "turn-a");
        var again = await cluster.Say(conversation.ConversationId, "Tell me a joke.", temperature: 1, turnId: "turn-a");

        Assert.Equal(first, again);
        Assert.Single((await cluster.Read(conversation.ConversationId)).Turns);
    }

    [Fact]
    public async Task Converse_CancelledThenAgain_GoesOnFromWhatWasDelivered()
    {
        var conversation = await cluster.New();
        var delivered = "";
        await Assert.ThrowsAsync<OperationCanceledException>(() => cluster.Say(
            conversation.ConversationId,
            "Tell me a long story.",
            maxTokens: 150,
            turnId: "turn-a",
            onDelta: (answer, tokens) =>
            {
                delivered = answer;
                return tokens < 10 ? Task.CompletedTask : throw new OperationCanceledException();
            }));

        var left = await Poll.Until(
            async () => (await cluster.Read(conversation.ConversationId)).Turns.Single(),
            turn => turn.State != TurnState.Pending);

        Assert.Equal(TurnState.Cancelled, left.State);
        var meanwhile = TurnState.Unspecified;
        var turn = await cluster.Say(
            conversation.ConversationId,
            "Tell me a long story.",
            maxTokens: 150,
            turnId: "turn-a",
            onDelta: async (_, _) => meanwhile = meanwhile != TurnState.Unspecified
                ? meanwhile
                : (await cluster.Read(conversation.ConversationId)).Turns.Single().State);

        Assert.StartsWith(delivered, turn.Answer, StringComparison.Ordinal);
        Assert.Equal(
            (TurnState.Pending, TurnState.Completed, 150), (meanwhile, turn.State, turn.Usage.CompletionTokens));
        Assert.Single((await cluster.Read(conversation.ConversationId)).Turns);
    }

    [Fact]
    public async Task Delete_Conversation_IsGoneFromListAndNode()
    {
        var conversation = await cluster.New("You are brief.");
        await cluster.Say(conversation.ConversationId, "Hello.", maxTokens: 4);
        Assert.Contains(
            conversation.ConversationId, (await cluster.Run("conversations")).Output, StringComparison.Ordinal);

        await cluster.Conversations.DeleteConversationAsync(
            new DeleteConversationRequest { ConversationId = conversation.ConversationId },
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.DoesNotContain(
            conversation.ConversationId,
            (await cluster.Run("conversations", "--json")).Output,
            StringComparison.Ordinal);
        var chat = await cluster.Run("chat", "--conversation", conversation.ConversationId, "Still there?");
        Assert.Equal(1, chat.ExitCode);
        Assert.Equal(
            $"herd: There is no conversation '{conversation.ConversationId}'. Check the id, or create one.\n",
            chat.Error);
    }

    [Fact]
    public async Task Models_Json_ShowsTheModelAndWhatItRecommends()
    {
        using var models = JsonDocument.Parse((await cluster.Run("models", "--json")).Output);

        var model = models.RootElement.EnumerateArray().Single();
        Assert.Equal("smollm2-135m-instruct", model.GetProperty("model_id").GetString());
        Assert.Equal(0.2f, model.GetProperty("sampling").GetProperty("temperature").GetSingle());
        Assert.Equal(2048, model.GetProperty("context_tokens").GetInt32());
    }

    private async Task<Dictionary<string, int>> Sessions()
    {
        using var nodes = JsonDocument.Parse((await cluster.Run("nodes", "--json")).Output);
        return nodes.RootElement.EnumerateArray().ToDictionary(
            node => node.GetProperty("name").GetString()!, node => node.GetProperty("sessions").GetInt32());
    }
}
