using System.Reflection;
using Herd.Contracts.Nodes;

namespace Herd.Simulator.Faults;

/// <summary>Finds the sessions of simulated nodes by their key. Derived from at run time.</summary>
public class SessionFactory : DispatchProxy
{
    internal Func<string, ISessionGrain> Find { get; set; } = null!;

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Find((string)args![0]!);
}
