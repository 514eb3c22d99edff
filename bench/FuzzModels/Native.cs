using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Herd.LlamaCpp.Native;

[assembly: DisableRuntimeMarshalling]

namespace Herd.FuzzModels;

/// <summary>
/// llama.cpp makes a model of hyperparameters alone, with every tensor that its architecture needs. The runtime has
/// loaded the libraries before.
/// </summary>
internal static unsafe partial class Native
{
    private const string Llama = "llama";
    private const string GgmlBase = "ggml-base";

    /// <summary>Finds the libraries that the runtime has loaded.</summary>
    public static void UseLibraries() => NativeLibrary.SetDllImportResolver(
        typeof(Native).Assembly,
        (name, _, _) => NativeLibrary.Load(Directory
            .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "native"))
            .First(file => Path.GetFileName(file).StartsWith($"lib{name}.", StringComparison.Ordinal))));

    /// <summary>Writes a model with the hyperparameters of a file that has no tensors.</summary>
    /// <returns>False if llama.cpp refuses the hyperparameters.</returns>
    public static bool Complete(string header, string model)
    {
        var metadata = Read(header, new ReadParams { NoAlloc = 1 });
        if (metadata == 0)
        {
            return false;
        }

        var native = LlamaCpp.Native.Llama.ModelDefaultParams();
        native.GpuLayers = 0;
        var made = Make(metadata, &SetNothing, null, native);
        if (made == 0)
        {
            return false;
        }

        Save(made, model);
        Free(made);
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void SetNothing(void* tensor, void* data)
    {
        // What the weights are does not matter: the header is what is kept.
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ReadParams
    {
        public byte NoAlloc;
        public nint Context;
    }

    [LibraryImport(GgmlBase, EntryPoint = "gguf_init_from_file", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Read(string path, ReadParams options);

    [LibraryImport(Llama, EntryPoint = "llama_model_init_from_user")]
    private static partial nint Make(
        nint metadata, delegate* unmanaged[Cdecl]<void*, void*, void> setData, void* data, ModelParams options);

    [LibraryImport(Llama, EntryPoint = "llama_model_save_to_file", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void Save(nint model, string path);

    [LibraryImport(Llama, EntryPoint = "llama_model_free")]
    private static partial void Free(nint model);
}
