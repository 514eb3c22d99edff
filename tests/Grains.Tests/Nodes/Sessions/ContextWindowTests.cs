using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Grains.Nodes.Sessions;

namespace Herd.Grains.Tests.Nodes.Sessions;

public sealed class ContextWindowTests
{
    private static readonly Gen<(int[] Lengths, int Limit)> Conversations =
        from lengths in Gen.Choose(1, 100).ArrayOf()
        from limit in Gen.Choose(100, 600)
        where lengths.Length > 0
        select (lengths, limit);

    [Property]
    public Property FirstTurn_AnyTurns_ShowsTheLastAndFits() => Prop.ForAll(Conversations.ToArbitrary(), conversation =>
    {
        var first = ContextWindow.FirstTurn(conversation.Lengths, conversation.Limit);

        return first < conversation.Lengths.Length && conversation.Lengths[first..].Sum() <= conversation.Limit;
    });

    /// <summary>
    /// Between leaps the prompt only grows; a leap leaves at most half the window, but for the last turn.
    /// </summary>
    [Property]
    public Property FirstTurn_TurnAfterTurn_StaysOrLeaps() => Prop.ForAll(Conversations.ToArbitrary(), conversation =>
    {
        var before = 0;
        for (var count = 1; count <= conversation.Lengths.Length; count++)
        {
            var turns = conversation.Lengths[..count];
            var first = ContextWindow.FirstTurn(turns, conversation.Limit);
            var shown = turns[first..].Sum();
            Assert.True(first == before || shown <= conversation.Limit / 2 || first == count - 1);
            before = first;
        }
    });

    [Fact]
    public void FirstTurn_AllFits_ShowsAll() => Assert.Equal(0, ContextWindow.FirstTurn([10, 20, 30], 60));
}
