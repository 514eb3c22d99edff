using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.LlamaCpp.Native;

/// <summary>Finds the llama.cpp libraries beside the program and rejects any build but the supported one.</summary>
internal static class NativeLibraries
{
    public const string Llama = "llama";
    public const string Ggml = "ggml";
    public const string GgmlBase = "ggml-base";

    /// <summary>The result of llama_version() of the supported build.</summary>
    public const string ExpectedVersion = "0.5.0-dev";

    private static readonly Lock Lock = new();
    private static string? _directory;

    /// <summary>True if a GPU backend was loaded.</summary>
    public static bool AreForGpus => Directory.EnumerateFiles(_directory!).Any(file =>
        IsLibrary(Path.GetFileName(file), "ggml-cuda")
        || IsLibrary(Path.GetFileName(file), "ggml-vulkan")
        || IsLibrary(Path.GetFileName(file), "ggml-metal"));

    /// <summary>Loads the libraries, once per process.</summary>
    /// <exception cref="ModelLoadException">They are missing or from an unsupported build.</exception>
    public static void Load(string directory, ILogger logger)
    {
        lock (Lock)
        {
            if (_directory is not null)
            {
                return;
            }

            NativeLibrary.SetDllImportResolver(
                typeof(NativeLibraries).Assembly, (name, _, _) => Resolve(directory, name));
            Check(directory);
            NativeLog.Route(logger);
            Native.Llama.BackendLoadAllFromPath(directory);
            Native.Llama.BackendInit();
            _directory = directory;
        }
    }

    private static nint Resolve(string directory, string name) => name switch
    {
        Llama => NativeLibrary.Load(Find(directory, "llama")),
        Ggml => NativeLibrary.Load(Find(directory, "ggml")),
        GgmlBase => NativeLibrary.Load(Find(directory, "ggml-base")),
        _ => 0,
    };

    /// <summary>libllama.v0.5.0.so, libllama.cuda.v0.5.0.so, llama.dll: the variant in the folder.</summary>
    private static string Find(string directory, string name)
    {
        var found = Directory.Exists(directory)
            ? Directory.EnumerateFiles(directory).FirstOrDefault(file => IsLibrary(Path.GetFileName(file), name))
            : null;
        return found ?? throw new ModelLoadException(
            $"llama.cpp's library '{name}' is not in {directory}. Build again; the build fetches it with npm into "
                + "native/.");
    }

    private static bool IsLibrary(string file, string name) =>
        (file.StartsWith($"lib{name}.", StringComparison.Ordinal)
            || file.StartsWith($"{name}.", StringComparison.Ordinal))
        && (file.EndsWith(".so", StringComparison.Ordinal)
            || file.EndsWith(".dylib", StringComparison.Ordinal)
            || file.EndsWith(".dll", StringComparison.Ordinal));

    private static unsafe void Check(string directory)
    {
        var version = Marshal.PtrToStringUTF8((nint)Native.Llama.Version()) ?? "none";
        var model = Native.Llama.ModelDefaultParams();
        var context = Native.Llama.ContextDefaultParams();
        var found = new BuildMark(
            version,
            Unsafe.SizeOf<ModelParams>(),
            Unsafe.SizeOf<ContextParams>(),
            model.LoadMtp,
            context.Batch,
            context.DefragThreshold,
            context.OffloadKqv,
            context.OtherContext);
        Require(found, directory);
    }

    /// <exception cref="ModelLoadException">The build is not the supported one.</exception>
    internal static void Require(BuildMark found, string directory)
    {
        if (found != BuildMark.Expected)
        {
            throw new ModelLoadException(
                $"The llama.cpp in {directory} is an unsupported build. Found {found}; expected "
                + $"{BuildMark.Expected}. Remove native/node_modules and build again.");
        }
    }

    /// <summary>
    /// Values that identify the supported build: its version, the sizes of the structs passed by value, and default
    /// values of their last fields, which would be misread if a field had been added or removed.
    /// </summary>
    internal sealed record BuildMark(
        string Version,
        int ModelParamsBytes,
        int ContextParamsBytes,
        byte LoadMtp,
        uint Batch,
        float DefragThreshold,
        byte OffloadKqv,
        nint OtherContext)
    {
        public static readonly BuildMark Expected = new(ExpectedVersion, 80, 160, 0, 2048, -1, 1, 0);
    }
}
