using System.IO.Hashing;
using System.Text;
using FsCheck.Xunit;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns.Attempts;
using Herd.Grains.Conversations.Turns.Events;

namespace Herd.Grains.Tests.Conversations.Turns.Attempts;

public sealed class AnswerBuilderTests
{
    /// <summary>
    /// For any division into deltas and any position at which the stream broke, the rest is delivered.
    /// </summary>
    [Property(MaxTest = 300)]
    public bool Answer_ResumedAtAnyPosition_DeliversTheRest(byte[] pieces, byte broke, bool hasDigest)
    {
        string[] characters = ["a", "\u00e9", "\u65e5", "\ud83d\ude00"];
        var texts = pieces
            .Select(piece => string.Concat(Enumerable.Range(0, piece % 4).Select(i => characters[(piece + i) % 4])))
            .ToList();
        var delivered = texts.Take(broke % (pieces.Length + 1)).ToList();
        var received = Encoding.UTF8.GetBytes(string.Concat(delivered));
        var offset = new AnswerOffset(
            received.Length, delivered.Count) { Digest = hasDigest ? XxHash64.HashToUInt64(received) : 0 };
        var again = new TurnEvents();

        var answer = new AnswerBuilder(
            Turn() with { Answer = new Answer(string.Concat(texts.Take(2)), [.. texts.Take(2).Select(_ => 7)], true) },
            epoch: 1,
            offset,
            again);
        foreach (var text in texts.Skip(2))
        {
            answer.Append(new GenerationEvent([7], text, null));
        }

        again.End();
        var rest = again.Sent.ReadAllAsync().ToBlockingEnumerable().Select(update => update.Delta!).ToList();
        return string.Concat(delivered) + string.Concat(rest.Select(delta => delta.Text)) == string.Concat(texts)
            && delivered.Count + rest.Sum(delta => delta.Tokens) == texts.Count
            && answer.SoFar().Text == string.Concat(texts)
            && (rest.Count == 0
                || rest[^1].Digest == XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(string.Concat(texts))));
    }

    /// <summary>An answer of an epoch that was never stored may differ from the one of another node.</summary>
    [Fact]
    public void Answer_DeliveredUnderAnUnknownEpoch_IsNotResumed()
    {
        var events = new TurnEvents();
        var answer = new AnswerBuilder(
            Turn() with { Answer = new Answer("as it is here", [1, 2], true) },
            epoch: 4,
            new AnswerOffset(Bytes: 2, Tokens: 1, Epoch: 5),
            events);

        var error = Assert.Throws<HerdException>(answer.ThrowIfLost);

        Assert.Equal(HerdError.AnswerLost, error.Error);
        Assert.False(events.Sent.TryRead(out _));
    }

    /// <summary>
    /// Two owners that could not store their epochs may have chosen the same one. The digest distinguishes their
    /// answers.
    /// </summary>
    [Theory]
    [InlineData("as it was", "")]
    [InlineData("as", " it was")]
    [InlineData("", "as it was")]
    [InlineData("as \u65e5", "")]
    public void Answer_CallerHasAnotherText_IsNotResumed(string stored, string produced)
    {
        var events = new TurnEvents();
        var received = new AnswerOffset(Bytes: 5, Tokens: 1, Epoch: 4) { Digest = XxHash64.HashToUInt64("is at"u8) };
        var turn = Turn() with { Answer = new Answer(stored, [1], true) };
        var answer = new AnswerBuilder(turn, epoch: 4, received, events);

        answer.Append(new GenerationEvent([3], produced, null));

        Assert.Equal(HerdError.AnswerLost, Assert.Throws<HerdException>(answer.ThrowIfLost).Error);
        Assert.False(events.Sent.TryRead(out _));
    }

    [Fact]
    public void Answer_OffsetWithinACharacter_IsNotResumed()
    {
        var answer = new AnswerBuilder(
            Turn() with { Answer = new Answer("\u65e5\u65e5", [1, 2], true) },
            epoch: 1,
            new AnswerOffset(Bytes: 4, Tokens: 1),
            new TurnEvents());

        Assert.Equal(HerdError.AnswerLost, Assert.Throws<HerdException>(answer.ThrowIfLost).Error);
    }

    [Fact]
    public void Append_CallerHasABeginning_DeliversTheLogProbsOfTheRest()
    {
        var events = new TurnEvents();
        var answer = new AnswerBuilder(Turn(), epoch: 1, new AnswerOffset(Bytes: 2, Tokens: 2), events);

        answer.Append(new GenerationEvent([1, 2, 3], "abc", null)
        {
            LogProbs = [.. "abc".Select(c => new TokenLogProbs([(byte)c], -1, []))],
        });

        Assert.True(events.Sent.TryRead(out var update));
        Assert.Equal(("c", 1), (update.Delta!.Text, update.Delta.Tokens));
        Assert.Equal("c"u8.ToArray(), Assert.Single(update.Delta.LogProbs!).Bytes);
    }

    private static Turn Turn() => new()
    {
        Id = "1",
        State = TurnState.Pending,
        Input = [],
        Created = DateTimeOffset.UnixEpoch,
        Settings = new GenerationSettings(),
    };
}
