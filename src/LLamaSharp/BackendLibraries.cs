using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using LLama.Exceptions;
using LLama.Native;
using Microsoft.Extensions.Logging;

namespace Herd.LLamaSharp;

/// <summary>
/// Finds the libraries. A backend package of the full feed is left to LLamaSharp, which chooses by what the processor can
/// do. One packed from npm's libraries (docs/llamasharp.md) has its variants as plugins, which have to be loaded first.
/// </summary>
internal static unsafe class BackendLibraries
{
    private static readonly Lock Lock = new();
    private static bool _isLoaded;

    /// <exception cref="ModelLoadException">There are none that this machine can use.</exception>
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
                LoadPlugins(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
                NativeApi.llama_empty_call();
                _isLoaded = true;
            }
            catch (Exception e) when (e is RuntimeError or DllNotFoundException or TypeInitializationException)
            {
                throw new ModelLoadException(
                    $"LLamaSharp finds no libraries: {e.InnerException?.Message ?? e.Message} docs/llamasharp.md says where they come from.", e);
            }
        }
    }

    private static void LoadPlugins(string directory)
    {
        if (Find(directory, "libllama.*.so") is not { } llama)
        {
            return;
        }

        NativeLibrary.Load(Find(directory, "libggml-base.so")!);
        var ggml = NativeLibrary.Load(Find(directory, "libggml.*.so")!);
        var load = (delegate* unmanaged[Cdecl]<byte*, void>)NativeLibrary.GetExport(ggml, "ggml_backend_load_all_from_path");
        var path = Marshal.StringToCoTaskMemUTF8(directory);
        load((byte*)path);
        Marshal.FreeCoTaskMem(path);
        NativeLibraryConfig.LLama.WithLibrary(llama);
    }

    private static string? Find(string directory, string pattern) =>
        Directory.Exists(directory) ? Directory.EnumerateFiles(directory, pattern).FirstOrDefault() : null;
}
