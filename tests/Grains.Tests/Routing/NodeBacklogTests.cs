using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests.Routing;

/// <summary>A node that computes 500 prompt tokens a second, in steps of 0.1 s.</summary>
public sealed class NodeBacklogTests
{
    [Fact]
    public void Seconds_NothingIsThere_IsThePromptItself() => Assert.Equal(2, Predict("a", 1000));

    [Fact]
    public void Seconds_TenantHasALongPrompt_WaitsForIt() =>
        Assert.Equal(6.05, Predict("a", 1000, Queue("a", 2000)), 2);

    /// <summary>It is computed in the step after the current one.</summary>
    [Fact]
    public void Seconds_ShortPromptBesideALongOne_WaitsForTheStep() =>
        Assert.Equal(0.15, Predict("a", 48, Queue("a", 2000)), 2);

    /// <summary>Of the others' prompts as much is computed as their tenants are served less.</summary>
    [Theory]
    [InlineData(0, 2.05)]
    [InlineData(500, 3.05)]
    [InlineData(9000, 6.05)]
    public void Seconds_OtherTenantHasALongPrompt_IsServedByTurns(int ahead, double seconds)
    {
        var own = Queue("a", 0) with { Service = 1000 + ahead };

        Assert.Equal(seconds, Predict("a", 1000, own, Queue("b", 2000) with { Service = 2000 }), 2);
    }

    [Fact]
    public void Seconds_LessUrgentPrompts_AreNotWaitedFor() => Assert.Equal(
        2.05, Predict("a", 1000, Queue("a", 2000) with { Priority = TurnPriority.Background }), 2);

    [Fact]
    public void Seconds_PromptWasSentAfterTheReport_Counts()
    {
        var backlog = new NodeBacklog(Model(), [new SentPrompt("a", TurnPriority.Interactive, 2000)], load: 1, at: 0);

        Assert.Equal(6.05, backlog.Seconds(new SentPrompt("a", TurnPriority.Interactive, 1000), now: 0), 2);
    }

    private static double Predict(string tenant, int tokens, params TenantQueue[] queues) =>
        new NodeBacklog(Model(queues), [], load: queues.Length, at: 0)
            .Seconds(new SentPrompt(tenant, TurnPriority.Interactive, tokens), now: 0);

    private static TenantQueue Queue(string tenant, int tokens) => new(
        tenant, TurnPriority.Interactive, tokens, Prompts: 1, ShortTokens: 0, Waiting: 0, Decoding: 0, Service: 0);

    private static ServedModel Model(params TenantQueue[] queues) => new()
    {
        Id = "m",
        Description = "",
        ContextTokens = 8192,
        Defaults = new GenerationSettings(),
        Slots = 8,
        Figures = new EngineFigures
        {
            Queues = queues,
            PromptsRate = 500,
            PrefillRate = 1000,
            DecodeRate = 100,
            StepSeconds = 0.1,
            ShortPromptSeconds = 0.08,
        },
    };
}
