using Herd.Inference.Runtime;
using Herd.LlamaCpp;
using Microsoft.Extensions.Logging;

namespace Herd.Runtimes;

/// <summary>
/// The native runtime of this build. Every project that can be one has this class, and the build property HerdRuntime says
/// which project is referenced.
/// </summary>
public static class NativeRuntime
{
    /// <summary>What it is asked for by.</summary>
    public const string Name = "llama.cpp";

    /// <exception cref="ModelLoadException">Its libraries are missing, or of another build than the one bound.</exception>
    public static ILlamaRuntime Create(ILoggerFactory loggers) =>
        new LlamaCppRuntime(loggers.CreateLogger<LlamaCppRuntime>());
}
