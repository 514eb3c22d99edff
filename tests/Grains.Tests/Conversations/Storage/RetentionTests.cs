using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Tests.Conversations.Storage;

public sealed class RetentionTests
{
    [Theory]
    [InlineData(Retention.Durable, "conv_1")]
    [InlineData(Retention.CallerKept, "conv_1")]
    [InlineData(Retention.CallerKept, "http_1")]
    public void ReadHead_Written_KeepsItsRetention(Retention retention, string id)
    {
        var conversation = new Conversation { Id = id, Created = DateTimeOffset.UnixEpoch, Retention = retention };

        var read = ConversationFormat.ReadHead(ConversationFormat.WriteHead(conversation)).WithTurns([]);

        Assert.Equal(retention, read.Retention);
    }

    [Theory]
    [InlineData("http_1", Retention.CallerKept)]
    [InlineData("conv_1", Retention.Durable)]
    public void ReadHead_OfAnEarlierVersion_FollowsItsId(string id, Retention expected)
    {
        var head = $$"""{"version":1,"id":"{{id}}","created":"2026-11-23T20:00:00+00:00","epoch":0,"turns":0}""";

        Assert.Equal(expected, ConversationFormat.ReadHead(head).WithTurns([]).Retention);
    }
}
