using Herd.Inference.Runtime;
using Herd.LLamaSharp;
using Microsoft.Extensions.Logging;

namespace Herd.Runtimes;

/// <summary>The native runtime of this build; src/LlamaCpp has one of the same name.</summary>
public static class NativeRuntime
{
    /// <summary>The name of the runtime in settings.</summary>
    public const string Name = "llamasharp";

    /// <exception cref="ModelLoadException">The libraries of the runtime are missing.</exception>
    public static ILlamaRuntime Create(ILoggerFactory loggers) =>
        new LLamaSharpRuntime(loggers.CreateLogger<LLamaSharpRuntime>());
}
