using System.IO.Hashing;
using System.Text;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Failover;

namespace Herd.Grains.Tests.Conversations.Failover;

public sealed class ResumePointTests
{
    private static ulong Digest(string text) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void Advance_AcrossThePosition_ReturnsThePartBehindIt()
    {
        var resume = new ResumePoint(new AnswerOffset(4, 2) { Digest = Digest("one ") }, epoch: 1);

        Assert.Equal(("", 1), resume.Advance("on", 1));
        Assert.True(resume.IsLost);
        Assert.Equal(("two", 1), resume.Advance("e two", 2));
        Assert.False(resume.IsLost);
        Assert.Equal(Digest("one two"), resume.Digest);
    }

    [Fact]
    public void Advance_TextBeforeThePositionDiffers_IsAnotherAnswer()
    {
        var resume = new ResumePoint(new AnswerOffset(4, 1) { Digest = Digest("one ") }, epoch: 1);

        resume.Advance("two three", 2);

        Assert.True(resume.IsOtherAnswer);
        Assert.True(resume.IsLost);
    }

    [Fact]
    public void Advance_PositionWithinACharacter_IsAnotherAnswer()
    {
        var resume = new ResumePoint(new AnswerOffset(1, 1), epoch: 1);

        resume.Advance("é", 1);

        Assert.True(resume.IsOtherAnswer);
    }

    [Fact]
    public void Advance_OffsetWithoutDigestOfALaterEpoch_StaysLost()
    {
        var resume = new ResumePoint(new AnswerOffset(2, 1, Epoch: 5), epoch: 4);

        Assert.Equal("", resume.Advance("a long answer", 4).Fresh);
        Assert.True(resume.IsLost);
    }

    [Fact]
    public void Advance_FromTheStart_ReturnsAll() =>
        Assert.Equal(("all", 0), new ResumePoint(AnswerOffset.Start, epoch: 0).Advance("all", 1));
}
