using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using LLama.Exceptions;
using LLama.Native;
using Microsoft.Extensions.Logging;

namespace Herd.LLamaSharp;

/// <summary>
/// Loads the native libraries. LLamaSharp itself chooses a library of a full backend package by the processor's
/// features. A package made from the npm libraries (docs/llamasharp.md) has its variants as plugins, which are loaded
/// here first.
/// </summary>
internal static unsafe class BackendLibraries
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
                LoadPlugins(
                    Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"));
                NativeApi.llama_empty_call();
                _isLoaded = true;
            }
            catch (Exception e) when (e is RuntimeError or DllNotFoundException or TypeInitializationException)
            {
                throw new ModelLoadException(
                    $"LLamaSharp found no native libraries for this machine: {e.InnerException?.Message ?? e.Message} "
                        + "See docs/llamasharp.md for how to get them.", e);
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
        var load = (delegate* unmanaged[Cdecl]<byte*, void>)NativeLibrary.GetExport(
            ggml, "ggml_backend_load_all_from_path");
        var path = Marshal.StringToCoTaskMemUTF8(directory);
        load((byte*)path);
        Marshal.FreeCoTaskMem(path);
        NativeLibraryConfig.LLama.WithLibrary(llama);
    }

    private static string? Find(string directory, string pattern) =>
        Directory.Exists(directory) ? Directory.EnumerateFiles(directory, pattern).FirstOrDefault() : null;
}
