using System.Reflection;
using Orleans.Serialization.Invocation;

namespace Herd.Simulator.Faults;

/// <summary>A call at its grain, as the grain's call filter sees it. Streams have none, as in Orleans.</summary>
internal sealed class IncomingCall<T>(Activation activation, MethodInfo method, object?[] arguments)
    : IIncomingGrainCallContext
{
    public object Grain => activation.Grain;

    public IGrainContext TargetContext => activation;

    public GrainId TargetId => activation.GrainId;

    public MethodInfo InterfaceMethod => method;

    public MethodInfo ImplementationMethod => method;

    public string MethodName => method.Name;

    public string InterfaceName => method.DeclaringType!.Name;

    public object? Result { get; set; } = default(T);

    public IInvokable Request => throw new NotSupportedException();

    public Response? Response
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public GrainId? SourceId => throw new NotSupportedException();

    public GrainInterfaceType InterfaceType => throw new NotSupportedException();

    public async Task Invoke()
    {
        var call = (Task)method.Invoke(activation.Grain, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
        await call;
        Result = call is Task<T> typed ? await typed : default(T);
    }
}
