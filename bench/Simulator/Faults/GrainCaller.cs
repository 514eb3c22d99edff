using System.Reflection;

namespace Herd.Simulator.Faults;

/// <summary>Finds grains for a process of the simulated cluster. Derived from at run time.</summary>
public class GrainCaller : DispatchProxy
{
    private readonly Dictionary<(Type Grain, string Key), object> _references = [];
    private FaultWorld _world = null!;
    private SimulatedProcess? _caller;

    /// <param name="world">The cluster.</param>
    /// <param name="caller">The calling process; null means a client.</param>
    internal static IGrainFactory Create(FaultWorld world, SimulatedProcess? caller)
    {
        var factory = Create<IGrainFactory, GrainCaller>();
        var made = (GrainCaller)(object)factory;
        (made._world, made._caller) = (world, caller);
        return factory;
    }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var (grain, key) = (targetMethod!.GetGenericArguments()[0], args![0]!.ToString()!);
        if (!_references.TryGetValue((grain, key), out var reference))
        {
            _references[(grain, key)] = reference = Create(grain, typeof(GrainCall));
            ((GrainCall)reference).Begin(_world, _caller, grain, key);
        }

        return reference;
    }
}
