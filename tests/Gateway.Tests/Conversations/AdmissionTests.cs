using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Gateway.Conversations;
using Herd.Gateway.Hosting;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Gateway.Tests.Conversations;

public sealed class AdmissionTests
{
    private static readonly string Long = new('x', 4000);

    private readonly FakeTimeProvider _time = new();
    private readonly NodeRegistry _registry;
    private readonly Router _router;

    public AdmissionTests()
    {
        _registry = new NodeRegistry(Pools.None, _time);
        _router = new Router(_registry, Options.Create(new RoutingOptions()), _time);
    }

    [Fact]
    public void Enter_EveryQueueIsTooLong_SaysWhenToTryAgain()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", Queue("t", tokens: 5000)));
        _registry.Update(Report("b", Queue("t", tokens: 7000)));

        var refusal = Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", Long)));

        Assert.Equal((HerdError.Overloaded, TimeSpan.FromSeconds(3)), (refusal.Error, refusal.Retry));
        Assert.Throws<HerdException>(() => admission.Enter("t", Turn(null, Long)));
    }

    /// <summary>A node that works on computes what its last report shows.</summary>
    [Fact]
    public void Enter_ReportIsOld_CountsWhatWasComputedSince()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", Queue("t", tokens: 3000)));

        Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", Long)));
        _time.Advance(TimeSpan.FromSeconds(1));
        admission.Enter("t", Turn("m", Long)).Dispose();
    }

    /// <summary>The scheduler serves the least served tenant first, and computes a class before a lower one.</summary>
    [Fact]
    public void Enter_LongPromptsAreOfOthersOrLessUrgent_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report(
            "a",
            Queue("a", tokens: 7000),
            Queue("b", tokens: 7000),
            Queue("c", tokens: 7000) with { Priority = TurnPriority.Background }));

        admission.Enter("c", Turn("m", Long)).Dispose();
        Assert.Throws<HerdException>(() => admission.Enter("a", Turn("m", Long)));
    }

    /// <summary>What only nodes of another version know is no reason to refuse.</summary>
    [Fact]
    public void Enter_NodeReportsNoQueues_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.Zero });
        var report = Report("a");
        var model = report.Models[0];
        _registry.Update(report with
        {
            Models = [model with { Figures = model.Figures! with { Queues = null, PrefillTokens = 7000 } }],
        });

        admission.Enter("t", Turn("m", Long)).Dispose();
    }

    /// <summary>The scheduler computes a short prompt before long ones.</summary>
    [Fact]
    public void Enter_ShortPromptBesideLongOnes_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", Queue("t", tokens: 70_000)));

        admission.Enter("t", Turn("m", "hello")).Dispose();
        admission.Enter("t", Turn("m", Long, "an answer", "hello")).Dispose();
        Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", "hello", "an answer", Long)));
    }

    [Fact]
    public void Enter_ShortPromptButNoSlotForLong_SaysWhenToTryAgain()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", Queue("t", tokens: 0) with { Waiting = 32 }));

        Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", "hello")));
    }

    [Fact]
    public void Enter_OneNodeIsFree_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", Queue("t", tokens: 5000)));
        _registry.Update(Report("b"));

        admission.Enter("t", Turn("m", Long)).Dispose();
    }

    /// <summary>Another check refuses a model that no node serves.</summary>
    [Fact]
    public void Enter_NoNode_Admits()
    {
        using var admission = Make(new GatewayOptions());

        admission.Enter("t", Turn("m", Long)).Dispose();
    }

    [Fact]
    public void Enter_TooManyWait_AdmitsWhenOneHasItsFirstToken()
    {
        using var admission = Make(new GatewayOptions { MaxWaiting = 2 });
        var first = admission.Enter("t", Turn("m", Long));
        using var second = admission.Enter("t", Turn("m", Long));

        var refusal = Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", Long)));
        Assert.Equal(HerdError.Overloaded, refusal.Error);
        first.Dispose();
        first.Dispose();
        using var third = admission.Enter("t", Turn("m", Long));
        Assert.Throws<HerdException>(() => admission.Enter("t", Turn("m", Long)));
    }

    /// <summary>A turn whose messages are the user's and the model's by turns.</summary>
    private static TurnRequest Turn(string? model, params string[] texts) => new()
    {
        TurnId = "t",
        Model = model,
        Input = [.. texts.Select((text, i) => new Message(i % 2 == 0 ? Role.User : Role.Assistant, text))],
        Settings = new GenerationSettings(),
    };

    private Admission Make(GatewayOptions options) => new(_router, Options.Create(options));

    private static TenantQueue Queue(string tenant, int tokens) =>
        new(tenant, TurnPriority.Interactive, tokens, 1, ShortTokens: 0, Waiting: 0, Decoding: 0, Service: 0);

    private static NodeReport Report(string node, params TenantQueue[] queues) => new()
    {
        Node = node,
        State = NodeState.Ready,
        ProcessId = 1,
        Runtime = "r",
        Models =
        [
            new ServedModel
            {
                Id = "m", Description = "d", ContextTokens = 8192, Defaults = new GenerationSettings(), Slots = 8,
                Figures = new EngineFigures { Queues = queues, PrefillRate = 1000, DecodeRate = 100 },
            },
        ],
    };
}
