using Herd.Inference.Runtime;
using Herd.LLamaSharp;
using Microsoft.Extensions.Logging;

namespace Herd.Runtimes;

/// <summary>The native runtime of this build; src/LlamaCpp has one of the same name.</summary>
public static class NativeRuntime
{
    /// <summary>What it is asked for by.</summary>
    public const string Name = "llamasharp";

    /// <exception cref="ModelLoadException">Its libraries are missing.</exception>
    public static ILlamaRuntime Create(ILoggerFactory loggers) =>
        new LLamaSharpRuntime(loggers.CreateLogger<LLamaSharpRuntime>());
}
