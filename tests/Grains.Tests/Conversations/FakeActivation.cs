using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Timers;

namespace Herd.Grains.Tests.Conversations;

/// <summary>The context of a grain that a test creates. It counts deactivations.</summary>
public class FakeActivation : DispatchProxy
{
    private GrainId _id;
    private IServiceProvider _services = null!;
    private int _deactivations;

    /// <summary>The context that a grain is created with.</summary>
    public IGrainContext Context { get; private set; } = null!;

    public bool IsDeactivated => _deactivations > 0;

    internal FakeTimers Timers { get; } = new();

    public static FakeActivation New(string key)
    {
        var context = Create<IGrainContext, FakeActivation>();
        var activation = (FakeActivation)(object)context;
        var runtime = Create<IGrainRuntime, Runtime>();
        ((Runtime)(object)runtime).Activation = activation;
        activation.Context = context;
        activation._id = GrainId.Create("grain", key);
        activation._services = new ServiceCollection().AddSingleton(runtime)
            .AddSingleton<ITimerRegistry>(activation.Timers).BuildServiceProvider();
        return activation;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        "get_GrainId" => _id,
        "get_ActivationServices" => _services,
        nameof(IGrainContext.Deactivate) => _deactivations++,
        _ => throw new NotSupportedException(targetMethod.Name),
    };

    public class Runtime : DispatchProxy
    {
        internal FakeActivation Activation { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            nameof(IGrainRuntime.DeactivateOnIdle) => Activation._deactivations++,
            "get_TimerRegistry" => Activation.Timers,
            _ => throw new NotSupportedException(targetMethod.Name),
        };
    }
}
