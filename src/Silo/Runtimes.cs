using System.Globalization;
using Herd.Inference.Runtime;
using Herd.Inference.Simulated;
using Herd.Runtimes;

namespace Herd.Silo;

/// <summary>The runtimes that this build has.</summary>
internal static class Runtimes
{
    private const string Simulated = "simulated";

    /// <summary>Then how many times faster than measured.</summary>
    private const string SimulatedFaster = "simulated:";

    /// <param name="name">Which; empty means the one that was built in.</param>
    /// <param name="time">What a simulated one waits by.</param>
    /// <param name="loggers">Take the runtime's log.</param>
    /// <exception cref="ModelLoadException">This build does not have it, or its libraries cannot be used.</exception>
    public static ILlamaRuntime Create(string name, TimeProvider time, ILoggerFactory loggers) => name.ToLowerInvariant() switch
    {
        "" or NativeRuntime.Name => NativeRuntime.Create(loggers),
        Simulated => new SimulatedRuntime(new SimulatedTimings(), time),
        _ when name.StartsWith(SimulatedFaster, StringComparison.Ordinal)
            && double.TryParse(name.AsSpan(SimulatedFaster.Length), CultureInfo.InvariantCulture, out var speed) && speed > 0 =>
            new SimulatedRuntime(new SimulatedTimings { Speed = speed }, time),
        _ => throw new ModelLoadException(
            $"This build has no runtime '{name}'; it has {NativeRuntime.Name} and {Simulated} (docs/llamasharp.md says how to build with another)."),
    };
}
