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

        var refusal = Assert.Throws<HerdException>(() => admission.Enter("m"));

        Assert.Equal((HerdError.Overloaded, TimeSpan.FromSeconds(3)), (refusal.Error, refusal.Retry));
        Assert.Throws<HerdException>(() => admission.Enter(null));
    }

    [Fact]
    public void Enter_OneNodeIsFree_Admits()
    {
        using var admission = Make(new GatewayOptions { MaxPredictedWait = TimeSpan.FromSeconds(2) });
        _registry.Update(Report("a", prefill: 5000));
        _registry.Update(Report("b", prefill: 0));

        admission.Enter("m").Dispose();
    }

    /// <summary>Another check refuses a model that no node serves.</summary>
    [Fact]
    public void Enter_NoNode_Admits()
    {
        using var admission = Make(new GatewayOptions());

        admission.Enter("m").Dispose();
    }

    [Fact]
    public void Enter_TooManyWait_AdmitsWhenOneHasItsFirstToken()
    {
        using var admission = Make(new GatewayOptions { MaxWaiting = 2 });
        var first = admission.Enter("m");
        using var second = admission.Enter("m");

        Assert.Equal(HerdError.Overloaded, Assert.Throws<HerdException>(() => admission.Enter("m")).Error);
        first.Dispose();
        first.Dispose();
        using var third = admission.Enter("m");
        Assert.Throws<HerdException>(() => admission.Enter("m"));
    }

    private Admission Make(GatewayOptions options) => new(_router, Options.Create(options));

    private static NodeReport Report(string node, int prefill) => new()
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
                Figures = new EngineFigures { PrefillTokens = prefill, PrefillRate = 1000, DecodeRate = 100 },
            },
        ],
    };
}
