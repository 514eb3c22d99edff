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
        _registry.Update(Report("a", prefill: 5000));
        _registry.Update(Report("b", prefill: 7000));

        var refusal = Assert.Throws<HerdException>(() => admission.Enter(Turn("m", Long)));

        Assert.Equal((HerdError.Overloaded, TimeSpan.FromSeconds(3)), (refusal.Error, refusal.Retry));
        Assert.Throws<HerdException>(() => admission.Enter(Turn(null, Long)));
    }

    /// <summary>The scheduler computes a short prompt before long ones.</summary>
    [Fact]
    public void Enter_ShortPromptBesideLongOnes_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", prefill: 70_000));

        admission.Enter(Turn("m", "hello")).Dispose();
        admission.Enter(Turn("m", Long, "an answer", "hello")).Dispose();
        Assert.Throws<HerdException>(() => admission.Enter(Turn("m", "hello", "an answer", Long)));
    }

    [Fact]
    public void Enter_ShortPromptButNoSlotForLong_SaysWhenToTryAgain()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", prefill: 0, queued: 32));

        Assert.Throws<HerdException>(() => admission.Enter(Turn("m", "hello")));
    }

    [Fact]
    public void Enter_OneNodeIsFree_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", prefill: 5000));
        _registry.Update(Report("b", prefill: 0));

        admission.Enter(Turn("m", Long)).Dispose();
    }

    /// <summary>Another check refuses a model that no node serves.</summary>
    [Fact]
    public void Enter_NoNode_Admits()
    {
        using var admission = Make(new GatewayOptions());

        admission.Enter(Turn("m", Long)).Dispose();
    }

    [Fact]
    public void Enter_TooManyWait_AdmitsWhenOneHasItsFirstToken()
    {
        using var admission = Make(new GatewayOptions { MaxWaiting = 2 });
        var first = admission.Enter(Turn("m", Long));
        using var second = admission.Enter(Turn("m", Long));

        Assert.Equal(HerdError.Overloaded, Assert.Throws<HerdException>(() => admission.Enter(Turn("m", Long))).Error);
        first.Dispose();
        first.Dispose();
        using var third = admission.Enter(Turn("m", Long));
        Assert.Throws<HerdException>(() => admission.Enter(Turn("m", Long)));
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

    private static NodeReport Report(string node, int prefill, int queued = 0) => new()
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
                Active = queued > 0 ? 8 : 0, Queued = queued,
                Figures = new EngineFigures { PrefillTokens = prefill, PrefillRate = 1000, DecodeRate = 100 },
            },
        ],
    };
}
