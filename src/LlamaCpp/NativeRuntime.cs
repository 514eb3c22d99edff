using Herd.Inference.Runtime;
using Herd.LlamaCpp;
using Microsoft.Extensions.Logging;

namespace Herd.Runtimes;

/// <summary>
/// The native runtime of this build. Each runtime project has a class of this name. The build property HerdRuntime
/// selects the project.
/// </summary>
public static class NativeRuntime
{
    /// <summary>The name of the runtime in settings.</summary>
    public const string Name = "llama.cpp";

    /// <exception cref="ModelLoadException">The libraries are missing or from an unsupported build.</exception>
    public static ILlamaRuntime Create(ILoggerFactory loggers) =>
        new LlamaCppRuntime(loggers.CreateLogger<LlamaCppRuntime>());
}
