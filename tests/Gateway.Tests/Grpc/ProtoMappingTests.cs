using Google.Protobuf;
using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Gateway.Grpc;
using Old = Herd.Gateway.Tests.Version01;

namespace Herd.Gateway.Tests.Grpc;

/// <summary>Fields that were renamed have the same content under both names for one version.</summary>
public sealed class ProtoMappingTests
{
    private static readonly TurnEvent Delta = new()
    {
        Delta = new Contracts.Conversations.AnswerDelta("a", 1)
        {
            LogProbs = [new TokenLogProbs("a"u8.ToArray(), -0.5f, [new TokenLogProbs("b"u8.ToArray(), -1, [])])],
        },
    };

    private static readonly PlacementDecision Decision = new()
    {
        At = DateTimeOffset.UnixEpoch,
        Reason = PlacementReason.Turn,
        Policy = "p",
        Node = "a",
        Considered = [new TtftEstimate(
            "a", 1, KvOrigin.Device, 2, DecodeContention: 0.25, StalenessPenalty: 1.5, Total: 5)],
    };

    [Fact]
    public void AnswerDelta_ReadByVersion01_HasTheLogProbs()
    {
        var read = Old.AnswerDelta.Parser.ParseFrom(Delta.ToProto().Delta.ToByteString());

        var token = Assert.Single(read.Chances);
        Assert.Equal(("a", -0.5f), (token.Text.ToStringUtf8(), token.LogProb));
        Assert.Equal(("b", -1f), (token.Likeliest.Single().Text.ToStringUtf8(), token.Likeliest.Single().LogProb));
    }

    [Fact]
    public void Placement_ReadByVersion01_HasTheEstimate()
    {
        var read = Old.Placement.Parser.ParseFrom(Decision.ToProto().ToByteString());

        var forecast = Assert.Single(read.Considered);
        Assert.Equal((0.25, 1.5), (forecast.Crowding.ToTimeSpan().TotalSeconds, forecast.Doubt));
    }

    [Fact]
    public void AnswerDelta_NewNames_HaveTheLogProbs()
    {
        var token = Assert.Single(Delta.ToProto().Delta.LogProbs);

        Assert.Equal(("a", -0.5f), (token.Text.ToStringUtf8(), token.LogProb));
        Assert.Equal("b", token.Likeliest.Single().Text.ToStringUtf8());
    }

    [Fact]
    public void Placement_NewNames_HaveTheEstimate()
    {
        var forecast = Assert.Single(Decision.ToProto().Considered);

        Assert.Equal((0.25, 1.5), (forecast.DecodeContention.ToTimeSpan().TotalSeconds, forecast.StalenessPenalty));
    }
}
