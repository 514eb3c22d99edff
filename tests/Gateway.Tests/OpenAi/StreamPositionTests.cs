using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.OpenAi;
using Microsoft.AspNetCore.Http;

namespace Herd.Gateway.Tests.OpenAi;

public sealed class StreamPositionTests
{
    private static readonly StreamPosition Position =
        new("http_a", "turn_1", new AnswerOffset(12, 3, 7) { Digest = 0xfedcba9876543210 });

    [Fact]
    public void From_SentId_IsThatPosition() => Assert.Equal(Position, Read(Position.ToString()));

    /// <summary>Gateways before version 8 do not send a digest.</summary>
    [Fact]
    public void From_IdWithoutDigest_IsThatPosition() => Assert.Equal(
        Position with { Offset = new AnswerOffset(12, 3, 7) }, Read("http_a.turn_1.12.3.7"));

    [Theory]
    [InlineData("http_a.turn_1.12.3")]
    [InlineData("http_a.turn_1.12.3.7.g")]
    [InlineData("http_a.turn_1.12.3.7.9.9")]
    [InlineData("http_a.turn_1.-12.3.7.9")]
    [InlineData("other_a.turn_1.12.3.7.9")]
    public void From_OtherText_IsRefused(string id) =>
        Assert.Equal(HerdError.InvalidArgument, Assert.Throws<HerdException>(() => Read(id)).Error);

    private static StreamPosition? Read(string id) =>
        StreamPosition.From(new HeaderDictionary { [StreamPosition.Header] = id });
}
