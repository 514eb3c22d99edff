using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Nodes.Sessions;

namespace Herd.Grains.Tests.Nodes.Sessions;

public sealed class ShiftedPromptTests
{
    private const int Counted = 3;
    private const int Scaffold = 9;
    private const int Turns = 401;

    private int _renders;

    /// <summary>The counts are a quarter of the truth, so the first try is far too long.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 4)]
    [InlineData(2000, 83)]
    [InlineData(5000, 208)]
    public void Render_ManyShortTurns_ShowsTheMostThatFitInFewRenders(int limit, int turns)
    {
        var prompt = Render(History(Turns), limit);

        Assert.Equal(turns * 2 * (Counted + Scaffold), prompt.Length);
        Assert.InRange(_renders, 1, 11);
    }

    [Fact]
    public void Render_CountsAreRight_RendersOnce()
    {
        ShiftedPrompt.Render(History(Turns), 600, _ => Counted + Scaffold, Template);

        Assert.Equal(1, _renders);
    }

    [Fact]
    public void Render_VeryLongHistory_TokenisesTheNewestOnly()
    {
        var tokenised = 0;

        var prompt = ShiftedPrompt.Render(
            History(10_000),
            100,
            _ =>
            {
                tokenised++;
                return Counted + Scaffold;
            },
            Template);

        Assert.InRange(prompt.Length, 1, 100);
        Assert.InRange(tokenised, 1, 16 * 100);
    }

    [Fact]
    public void Render_OnlySystemMessagesThatDoNotFit_RendersThemAll()
    {
        var prompt = Render([new HistoryMessage(Role.System, "Be brief.", null)], 1);

        Assert.Equal(Counted + Scaffold, prompt.Length);
    }

    private int[] Render(IReadOnlyList<HistoryMessage> messages, int limit) =>
        ShiftedPrompt.Render(messages, limit, _ => Counted, Template);

    private int[] Template(IEnumerable<HistoryMessage> shown)
    {
        _renders++;
        return new int[shown.Count() * (Counted + Scaffold)];
    }

    private static List<HistoryMessage> History(int turns) =>
    [
        .. Enumerable.Range(0, turns).SelectMany(_ => (HistoryMessage[])
            [new(Role.User, "hello", null), new(Role.Assistant, "hello", null)]),
    ];
}
