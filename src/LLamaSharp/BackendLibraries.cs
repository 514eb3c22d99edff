using Herd.Inference.Runtime;
using LLama.Exceptions;
using LLama.Native;
using Microsoft.Extensions.Logging;

namespace Herd.LLamaSharp;

/// <summary>Loads the native libraries. LLamaSharp chooses among its own by the processor's features.</summary>
internal static class BackendLibraries
{
    private static readonly Lock Lock = new();
    private static bool _isLoaded;

    /// <exception cref="ModelLoadException">There are no libraries for this machine.</exception>
    public static void Load(ILogger logger)
    {
        lock (Lock)
        {
            if (_isLoaded)
            {
                return;
            }

            try
            {
                NativeLibraryConfig.LLama.WithLogCallback(logger);
                NativeApi.llama_empty_call();
                _isLoaded = true;
            }
            catch (Exception e) when (e is RuntimeError or DllNotFoundException or TypeInitializationException)
            {
                throw new ModelLoadException(
                    $"LLamaSharp found no native libraries for this machine: {e.InnerException?.Message ?? e.Message} "
                        + "docs/llamasharp.md says which package brings them.", e);
            }
        }
    }
}
