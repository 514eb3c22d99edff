using System.Diagnostics;
using Herd.V1;

namespace Herd.Cluster.Tests;

/// <summary>herd chat on a terminal, and Ctrl-C.</summary>
[Collection(nameof(RealCluster))]
public sealed class ChatTests(RealCluster cluster)
{
    private const string Story = "Tell me a very long story about a dragon.";

    /// <summary>No machine is so slow. Before, the command ended after a minute.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task CtrlC_AtThePrompt_EndsTheProgramAtOnce()
    {
        using var chat = cluster.StartOnTerminal("chat");
        await chat.Until("> ");
        var pressed = Stopwatch.GetTimestamp();

        await chat.Type(Terminal.CtrlC);

        Assert.Equal(130, await chat.End());
        Assert.InRange(Stopwatch.GetElapsedTime(pressed), TimeSpan.Zero, AtOnce);
        Assert.DoesNotContain("   at ", chat.Shown, StringComparison.Ordinal);
    }

    /// <summary>The answer ends at the cluster too, and the conversation takes its next turn.</summary>
    [Fact]
    public async Task CtrlC_InAnAnswer_EndsTheAnswerAndTheConversationGoesOn()
    {
        var id = (await cluster.New()).ConversationId;
        using var chat = Start(id);
        var at = await BeginStory(chat);

        await chat.Type(Terminal.CtrlC);

        at = await chat.Until("[stopped", at);
        at = await chat.Until("> ", at);
        Assert.Equal(TurnState.Cancelled, Assert.Single((await cluster.Read(id)).Turns).State);
        await chat.Type("What is the capital of France?\n");
        at = await chat.Until(" tokens/s", at);
        await chat.Until("> ", at);
        await chat.Type("\u0004");
        Assert.Equal(0, await chat.End());
        Assert.Equal(
            [TurnState.Cancelled, TurnState.Completed], (await cluster.Read(id)).Turns.Select(turn => turn.State));
    }

    [Fact]
    public async Task CtrlC_TwiceInAnAnswer_EndsTheProgram()
    {
        var id = (await cluster.New()).ConversationId;
        using var chat = Start(id);
        await BeginStory(chat);

        await chat.Type(Terminal.CtrlC);
        await chat.Until("[stopped");
        await chat.Type(Terminal.CtrlC);

        Assert.Equal(130, await chat.End());
        await UntilCancelled(id);
    }

    [Fact]
    public async Task CtrlC_InTheOnlyTurn_EndsTheProgramAndTheAnswer()
    {
        var id = (await cluster.New()).ConversationId;
        using var chat = Start(id, $"'{Story}'");
        await chat.Until(" the ");

        await chat.Type(Terminal.CtrlC);

        Assert.Equal(130, await chat.End());
        await UntilCancelled(id);
    }

    /// <summary>Without chance in its answers: what a test waits for comes, and comes early.</summary>
    private Terminal Start(string id, params string[] text) =>
        cluster.StartOnTerminal(["chat", "--conversation", id, "--max-tokens", "1900", "--temperature", "0", .. text]);

    /// <summary>Asks for a long story, and waits until the answer has begun.</summary>
    /// <returns>The place of the prompt in what the terminal shows.</returns>
    private static async Task<int> BeginStory(Terminal chat)
    {
        var at = await chat.Until("> ");
        await chat.Type(Story + "\n");
        await chat.Until(" the ", at);
        return at;
    }

    private Task<Conversation> UntilCancelled(string id) => Poll.Until(
        () => cluster.Read(id), conversation => conversation.Turns.Single().State == TurnState.Cancelled);
}
