using Herd.Contracts.Conversations;
using Herd.Contracts.Placements;
using Herd.Grains.Conversations.Storage;

namespace Herd.Grains.Tests.Conversations.Storage;

/// <summary>The stored format is a contract: version 1 wrote these texts, and they are never edited.</summary>
public sealed class ConversationFormatTests
{
    private const string HeadV1 = """{"version":1,"id":"conv_1","model":"m","created":"2026-11-23T20:00:00+00:"""
        + """00","home":"node-1","epoch":4,"turns":2,"system":"brief"}""";
    private const string TurnV1 =
        """{"id":"turn_1","state":"Completed","input":[{"role":"User","text":"hello"}],"created":"2026-11-23T20:00:"""
            + """01+00:00","model":"m","settings":{"temperature":0.5,"top_k":40,"top_p":0.9,"min_p":0.1,"seed":"""
            + """18446744073709551615,"max_tokens":9,"stops":["x"]},"answer":{"text":"hi","tokens":[1,"""
            + """2],"tokens_fit":true},"finish":"Stop","usage":{"prompt_tokens":10,"completion_tokens":"""
            + """2,"cached_tokens":8},"timings":{"queued":"00:00:00.0010000","prefill":"00:00:"""
            + """00.0200000","decode":"00:00:01.5000000"},"node":"node-1"}""";

    private const string PlacedV1 =
        """{"id":"turn_1","state":"Pending","input":[],"created":"2026-11-23T20:00:01+00:00","settings":{"stops":["""
            + """]},"answer":{"text":"","tokens":[],"tokens_fit":true},"finish":"None","placements":["""
            + """{"at":"2026-11-25T01:02:03+00:"""
            + """00","reason":"NodeDrains","policy":"predicted-ttft","node":"b","home":"a","possible":"""
            + """2,"considered":[{"node":"b","queue":0.5,"origin":"Pull","kv":1.5,"crowding":0.25,"doubt":1,"total":"""
            + """5.5}],"move":{"tokens":7,"bytes":8,"seconds":0.125}}]}""";

    [Fact]
    public void ReadHead_Version1_IsRead()
    {
        var conversation = ConversationFormat.ReadHead(HeadV1).WithTurns([]);

        Assert.Equal(
            ("conv_1", "m", "node-1", 4L, "brief"),
            (conversation.Id, conversation.Model, conversation.Home, conversation.Epoch, conversation.System));
        Assert.Equal(2, ConversationFormat.ReadHead(HeadV1).Turns);
    }

    /// <summary>Metadata were added later.</summary>
    [Fact]
    public void ReadHead_WithMetadata_IsReadAndWrittenTheSame()
    {
        const string Noted = """{"version":1,"id":"conv_1","created":"2026-11-23T20:00:00+00:00","epoch":0,"turns":"""
            + """0,"metadata":{"topic":"rivers"}}""";

        var conversation = ConversationFormat.ReadHead(Noted).WithTurns([]);

        Assert.Equal("rivers", conversation.Metadata!["topic"]);
        Assert.Equal(Noted, ConversationFormat.WriteHead(conversation));
    }

    [Fact]
    public void ReadTurn_Version1_IsReadAndWrittenTheSame()
    {
        var turn = ConversationFormat.ReadTurn(TurnV1);

        Assert.Equal(TurnV1, ConversationFormat.WriteTurn(turn));
        Assert.Equal(ulong.MaxValue, turn.Settings.Seed);
        Assert.Equal(TurnState.Completed, turn.State);
        Assert.Equal([1, 2], turn.Answer.Tokens);
    }

    /// <summary>Placements were added later; texts without them are read above.</summary>
    [Fact]
    public void ReadTurn_WithPlacements_IsReadAndWrittenTheSame()
    {
        var turn = ConversationFormat.ReadTurn(PlacedV1);

        Assert.Equal(PlacedV1, ConversationFormat.WriteTurn(turn));
        var placement = turn.Placements!.Single();
        Assert.Equal((PlacementReason.NodeDrains, "a", "b"), (placement.Reason, placement.Home, placement.Node));
        Assert.Equal((KvOrigin.Pull, 5.5), (placement.Considered[0].Origin, placement.Considered[0].Total));
        Assert.Equal(7, placement.Pull!.Tokens);
    }

    [Fact]
    public void ReadHead_NewerVersion_IsRefused()
    {
        var error = Assert.Throws<InvalidDataException>(
            () => ConversationFormat.ReadHead(
                HeadV1.Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal)));

        Assert.Contains("newer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadTurn_Damaged_SaysSoWithoutItsContent()
    {
        var error = Assert.Throws<InvalidDataException>(
            () => ConversationFormat.ReadTurn(TurnV1.Replace("\"Completed\"", "\"canary\"", StringComparison.Ordinal)));

        Assert.DoesNotContain("hello", error.Message, StringComparison.Ordinal);
    }
}
