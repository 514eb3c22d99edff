using System.Text.Json;
using Herd.Grains.Conversations.Failover.Poison;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

public sealed class SuspectContentTests
{
    /// <summary>What this version stores. It stays readable.</summary>
    private const string Stored =
        """
        {"digest":"d","tenant":"t","conversation":"c","turn":"1","tokens":3,"nodes":["a","b"],"failed_trials":1,
        "is_poison":true,"expires":"2026-01-01T00:00:00+00:00"}
        """;

    private static readonly SuspectContent Some = new()
    {
        Digest = "d",
        Tenant = "t",
        Conversation = "c",
        Turn = "1",
        Tokens = 3,
        Nodes = ["a", "b"],
        FailedTrials = 1,
        IsPoison = true,
        Expires = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
    };

    [Fact]
    public void Stored_IsReadAndWrittenAlike()
    {
        var read = JsonSerializer.Deserialize(Stored, SuspectJson.Default.SuspectContent)!;

        Assert.Equal(Some, read with { Nodes = Some.Nodes });
        Assert.Equal(["a", "b"], read.Nodes);
        Assert.Equal(
            Stored.ReplaceLineEndings(""), JsonSerializer.Serialize(Some, SuspectJson.Default.SuspectContent));
    }

    [Fact]
    public void AddFailure_SecondNode_MakesASuspectWhoseTrialsCount()
    {
        var one = (Some with { Nodes = [], FailedTrials = 0 }).AddFailure("a").AddFailure("a");
        Assert.Equal((false, 0), (one.IsSuspect, one.FailedTrials));

        var two = one.AddFailure("b");
        Assert.Equal((true, 0), (two.IsSuspect, two.FailedTrials));

        // The node that failed last is tried last.
        var tried = two.AddFailure("a");
        Assert.Equal(1, tried.FailedTrials);
        Assert.Equal(["b", "a"], tried.Nodes);
    }
}
