using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Turns;

namespace Herd.Grains.Tests.Conversations.Turns;

public sealed class HistoryTests
{
    private static readonly Turn First = Turn("1", "hello", new Answer("hi", [1, 2], true));
    private static readonly Turn Second = Turn("2", "more", new Answer("ok", [3], true));

    [Fact]
    public void Prompt_AnsweredTurns_HaveTheirTokens()
    {
        var prompt = History.Prompt("brief", [First, Second, Turn("3", "and?", Answer.Empty)], "m");

        Assert.Equal(["brief", "hello", "hi", "more", "ok", "and?"], prompt.Select(message => message.Text));
        Assert.Equal([1, 2], prompt[2].Tokens);
        Assert.Null(prompt[1].Tokens);
    }

    [Fact]
    public void Prompt_OtherModelOrStopSequence_HasText()
    {
        var stopped = First with { Answer = First.Answer with { TokensFit = false } };

        Assert.Null(History.Prompt(null, [First, Second], "other")[1].Tokens);
        Assert.Null(History.Prompt(null, [stopped, Second], "m")[1].Tokens);
    }

    [Fact]
    public void Prompt_UnansweredTurn_IsOmitted()
    {
        var prompt = History.Prompt(null, [Turn("0", "lost", Answer.Empty), First, Second], "m");

        Assert.Equal(["hello", "hi", "more"], prompt.Select(message => message.Text));
    }

    [Fact]
    public void Agreement_SameHistory_KeepsTurns()
    {
        Message[] history = [new(Role.User, "hello"), new(Role.Assistant, "hi"), new(Role.User, "new")];

        Assert.Equal((1, 2), History.Agreement([First, Second], history));
    }

    [Fact]
    public void Agreement_NothingNewLeft_AnswersLastTurnAgain()
    {
        Message[] history = [new(Role.User, "hello")];

        Assert.Equal((0, 0), History.Agreement([First], history));
    }

    [Theory]
    [InlineData("hallo", "hi")]
    [InlineData("hello", "edited")]
    public void Agreement_HistoryEdited_KeepsTheTurnsBefore(string user, string assistant)
    {
        Message[] history = [new(Role.User, user), new(Role.Assistant, assistant), new(Role.User, "new")];

        Assert.Equal((0, 0), History.Agreement([First, Second], history));
    }

    private static Turn Turn(string id, string text, Answer answer) => new()
    {
        Id = id,
        State = TurnState.Completed,
        Input = [new Message(Role.User, text)],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
        Model = "m",
        Answer = answer,
    };
}
