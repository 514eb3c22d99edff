using System.Globalization;
using Herd.Inference.Runtime;
using Herd.Inference.Simulated;
using Herd.Runtimes;

namespace Herd.Silo;

/// <summary>The runtimes of this build.</summary>
internal static class Runtimes
{
    private const string Simulated = "simulated";

    /// <summary>
    /// The prefix of a simulated runtime with a speed: the factor by which it is faster than measured.
    /// </summary>
    private const string SimulatedFaster = "simulated:";

    /// <param name="name">The runtime's name; empty means the native one of this build.</param>
    /// <param name="time">The clock of a simulated runtime.</param>
    /// <param name="loggers">The loggers for the runtime's log.</param>
    /// <exception cref="ModelLoadException">
    /// This build does not have the runtime, or its libraries cannot be loaded.
    /// </exception>
    public static ILlamaRuntime Create(
        string name, TimeProvider time, ILoggerFactory loggers) => name.ToLowerInvariant() switch
    {
        "" or NativeRuntime.Name => NativeRuntime.Create(loggers),
        Simulated => new SimulatedRuntime(new SimulatedTimings(), time),
        _ when name.StartsWith(SimulatedFaster, StringComparison.Ordinal)
            && double.TryParse(name.AsSpan(SimulatedFaster.Length), CultureInfo.InvariantCulture, out var speed)
            && speed > 0 =>
            new SimulatedRuntime(new SimulatedTimings { Speed = speed }, time),
        _ => throw new ModelLoadException(
            $"This build has no runtime '{name}'; it has {NativeRuntime.Name} and {Simulated} " +
            "(docs/llamasharp.md says how to build with another)."),
    };
}
