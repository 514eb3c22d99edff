using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations;

namespace Herd.Grains.Tests.Conversations;

public sealed class ConversationForkTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Conversation _source = new()
    {
        Id = "conv_source",
        Model = "m",
        System = "Be brief.",
        Created = Now.AddDays(-1),
        Home = "node-3",
        Epoch = 7,
        Turns =
        [
            New("a", TurnState.Completed),
            New("b", TurnState.Cancelled),
            New("c", TurnState.Failed),
            New("d", TurnState.Pending),
        ],
    };

    [Fact]
    public void Create_NoTurnGiven_CopiesAllUpToTheLastAnswer()
    {
        var fork = ConversationFork.Create(_source, "conv_fork", null, Now);

        Assert.Equal(["a", "b"], fork.Turns.Select(turn => turn.Id));
        Assert.Equal(("conv_fork", "m", "Be brief.", Now), (fork.Id, fork.Model, fork.System, fork.Created));
    }

    [Fact]
    public void Create_EarlierTurn_CopiesUpToItAndHasTheHomeWithItsOwnEpochs()
    {
        var fork = ConversationFork.Create(_source, "conv_fork", "a", Now);

        Assert.Equal(["a"], fork.Turns.Select(turn => turn.Id));
        Assert.Equal(("node-3", 0), (fork.Home, fork.Epoch));
    }

    [Fact]
    public void Create_NothingAnswered_HasNoHome()
    {
        var fork = ConversationFork.Create(_source with { Turns = [] }, "conv_fork", null, Now);

        Assert.Empty(fork.Turns);
        Assert.Null(fork.Home);
    }

    [Theory]
    [InlineData("c", "has no answer yet")]
    [InlineData("d", "has no answer yet")]
    [InlineData("x", "has no turn 'x'")]
    public void Create_InvalidTurn_NamesTheReason(string turn, string expected)
    {
        var error = Assert.Throws<HerdException>(() => ConversationFork.Create(_source, "conv_fork", turn, Now));

        Assert.Equal((HerdError.InvalidArgument, "last_turn_id"), (error.Error, error.Parameter));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static Turn New(string id, TurnState state) => new()
    {
        Id = id,
        State = state,
        Input = [new Message(Role.User, id)],
        Created = Now,
        Settings = new GenerationSettings(),
    };
}
