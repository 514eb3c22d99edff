using System.IO.Hashing;
using System.Text;
using FsCheck.Xunit;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Failover;
using Herd.Grains.Nodes.Sessions;

namespace Herd.Grains.Tests.Nodes.Sessions;

public sealed class ReplayBufferTests
{
    private readonly ReplayBuffer _buffer = new();

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    public void Find_NothingHasBegun_IsNull(string turn) => Assert.Null(_buffer.Find(turn));

    [Fact]
    public void Find_AnotherTurn_IsNull()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));

        Assert.Null(_buffer.Find("2"));
    }

    /// <summary>Requests of a version without turn ids have an empty one. It names no turn.</summary>
    [Fact]
    public void Find_TurnWithoutAnId_IsNull()
    {
        _buffer.Begin(Request(""));

        Assert.Null(_buffer.Find(""));
    }

    /// <summary>The node knows nothing of delivery, so it keeps every token.</summary>
    [Fact]
    public void Find_AnswerIsGenerated_IsAllOfItInOrder()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));
        _buffer.Append(new GenerationEvent([2, 3], "2 3 ", null));

        var replay = _buffer.Find("1")!;

        Assert.Equal([1, 2, 3], replay.Tokens);
        Assert.Equal("1 2 3 ", replay.Text);
        Assert.Null(replay.Result);
    }

    /// <summary>The answer began on another node.</summary>
    [Fact]
    public void Find_AnswerContinuesAnother_BeginsWithThat()
    {
        _buffer.Begin(Request("1") with { Produced = [1, 2], ProducedText = "1 2 " });
        _buffer.Append(Token(3));

        var replay = _buffer.Find("1")!;

        Assert.Equal([1, 2, 3], replay.Tokens);
        Assert.Equal("1 2 3 ", replay.Text);
    }

    [Fact]
    public void TryErase_AnswerEnded_ForgetsIt()
    {
        using (_buffer.Begin(Request("1")))
        {
            _buffer.Append(Token(1));
            Assert.False(_buffer.TryErase());
        }

        Assert.NotNull(_buffer.Find("1"));
        Assert.True(_buffer.TryErase());
        Assert.Null(_buffer.Find("1"));
    }

    /// <summary>The earlier answer's end is not the later one's.</summary>
    [Fact]
    public void TryErase_EarlierAnswerEndsLate_IsRefused()
    {
        var earlier = _buffer.Begin(Request("1"));
        using var later = _buffer.Begin(Request("2"));

        earlier.Dispose();

        Assert.False(_buffer.TryErase());
    }

    /// <summary>The buffer is bounded: it keeps one answer.</summary>
    [Fact]
    public void Begin_AnotherTurn_ForgetsTheOneBefore()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));

        _buffer.Begin(Request("2"));
        _buffer.Append(Token(2));

        Assert.Null(_buffer.Find("1"));
        Assert.Equal([2], _buffer.Find("2")!.Tokens);
        Assert.Equal("2 ", _buffer.Find("2")!.Text);
    }

    /// <summary>A later attempt at the same turn has the tokens that were delivered, and no others.</summary>
    [Fact]
    public void Begin_SameTurnAgain_KeepsOnlyTheTokensOfItsRequest()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));
        _buffer.Append(Token(7));

        _buffer.Begin(Request("1") with { Produced = [1], ProducedText = "1 " });
        _buffer.Append(Token(2));

        Assert.Equal([1, 2], _buffer.Find("1")!.Tokens);
        Assert.Equal("1 2 ", _buffer.Find("1")!.Text);
    }

    [Fact]
    public void Find_AnswerHasEnded_HasItsResult()
    {
        var result = new GenerationOutcome(
            Finish.Stop, true, new Usage(1, 1, 0), new Timings(default, default, default));
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));
        _buffer.Append(new GenerationEvent([], "", result));

        Assert.Equal(result, _buffer.Find("1")!.Result);
    }

    /// <summary>Tokens do not determine Mirostat's bound. The next attempt continues with the latest one.</summary>
    [Fact]
    public void Find_SamplerHasAState_HasTheLatest()
    {
        _buffer.Begin(Request("1") with { Produced = [1], ProducedText = "1 ", SamplerState = 4 });
        var begun = _buffer.Find("1")!.SamplerState;
        _buffer.Append(Token(2) with { SamplerState = 5 });
        _buffer.Append(Token(3) with { SamplerState = 6 });

        Assert.Equal((4f, 6f), (begun, _buffer.Find("1")!.SamplerState));
    }

    /// <summary>Only the latest event has log probabilities, so those of the whole answer are unknown.</summary>
    [Fact]
    public void Find_LogProbsWereRequested_HasNone()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1) with { LogProbs = [new TokenLogProbs([(byte)'1'], -1, [])] });

        Assert.Null(_buffer.Find("1")!.LogProbs);
    }

    /// <summary>The reply is on its way while a newer call begins another answer.</summary>
    [Fact]
    public void Find_BufferChangesAfterwards_ReplayStays()
    {
        _buffer.Begin(Request("1"));
        _buffer.Append(Token(1));

        var replay = _buffer.Find("1")!;
        _buffer.Append(Token(2));
        _buffer.Begin(Request("2"));

        Assert.Equal([1], replay.Tokens);
        Assert.Equal("1 ", replay.Text);
    }

    /// <summary>
    /// Whatever pieces an answer came in, and wherever the caller stopped reading, the replay passes the caller the
    /// rest and nothing else.
    /// </summary>
    [Property]
    public bool Find_CallerStoppedAnywhere_ReplayHasTheRest(byte[] pieces, byte begun, byte read)
    {
        var events = pieces.Select((size, i) => Piece(i, size % 4)).ToList();
        var first = events.Take(begun % (events.Count + 1)).ToList();
        _buffer.Begin(Request("1") with
        {
            Produced = [.. first.SelectMany(piece => piece.Tokens)],
            ProducedText = string.Concat(first.Select(piece => piece.Text)),
        });
        events.Skip(first.Count).ToList().ForEach(_buffer.Append);
        var had = events.Take(read % (events.Count + 1)).ToList();
        var text = Encoding.UTF8.GetBytes(string.Concat(had.Select(piece => piece.Text)));
        var resume = new ResumePoint(
            new AnswerOffset(text.Length, had.Sum(piece => piece.Tokens.Count))
            {
                Digest = XxHash64.HashToUInt64(text),
            },
            epoch: 1);

        var replay = _buffer.Find("1")!;
        var (fresh, skipped) = resume.Advance(replay.Text, replay.Tokens.Count);

        return !resume.IsLost
            && fresh == string.Concat(events.Skip(had.Count).Select(piece => piece.Text))
            && replay.Tokens.Skip(skipped).SequenceEqual(events.Skip(had.Count).SelectMany(piece => piece.Tokens));
    }

    /// <summary>An event with the given number of tokens; without any it has no text either.</summary>
    private static GenerationEvent Piece(int index, int tokens) => new(
        [.. Enumerable.Range(index * 4, tokens)],
        string.Concat(Enumerable.Range(index * 4, tokens).Select(token => $"{token}é ")),
        null);

    private static GenerationEvent Token(int token) => new([token], $"{token} ", null);

    private static SessionRequest Request(string turn) =>
        new() { Epoch = 1, Messages = [], Settings = new GenerationSettings(), Turn = turn };
}
