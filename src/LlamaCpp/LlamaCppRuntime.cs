using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Herd.Inference.Models;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;
using Microsoft.Extensions.Logging;

namespace Herd.LlamaCpp;

/// <summary>llama.cpp through its C API, in this process.</summary>
public sealed class LlamaCppRuntime : ILlamaRuntime
{
    /// <summary>Loads the native libraries.</summary>
    /// <param name="logger">Takes llama.cpp's log.</param>
    /// <param name="directory">The folder of the libraries. Null: native/ beside the program.</param>
    /// <exception cref="ModelLoadException">The libraries are missing or from an unsupported build.</exception>
    public LlamaCppRuntime(ILogger<LlamaCppRuntime> logger, string? directory = null) =>
        NativeLibraries.Load(directory ?? Path.Combine(AppContext.BaseDirectory, "native"), logger);

    public string Description => "llama.cpp v0.5.0";

    public GpuSupport Gpu => DeviceMemory.Free() is not null ? GpuSupport.Found
        : NativeLibraries.AreForGpus ? GpuSupport.NotFound
        : GpuSupport.NotBuilt;

    public bool IsNative => true;

    public long Check(string path, ModelOptions options, ContextOptions context, long released = 0)
    {
        var plan = MemoryPlan.Create(GgufFile.ReadForChat(path), context);
        if (DeviceMemory.Free() is not { } gpu || options.GpuLayers == 0)
        {
            plan.Require(HostMemory.Free() + released, "this machine");
        }
        else if (options.GpuLayers < 0)
        {
            plan.Require(gpu + released, "the GPU");
        }
        else
        {
            plan.Require(gpu + HostMemory.Free() + released, "the GPU with this machine");
        }

        return plan.Total;
    }

    public unsafe ILlamaModel Load(
        string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation)
    {
        GgufFile.Read(path);
        var watch = new LoadWatch(progress, cancellation);
        var pinned = GCHandle.Alloc(watch);
        try
        {
            var native = Llama.ModelDefaultParams();
            native.GpuLayers = options.GpuLayers;
            native.LoadMode = LoadMode.MemoryMapped;
            native.Progress = &OnProgress;
            native.ProgressData = (void*)GCHandle.ToIntPtr(pinned);
            NativeLog.TakeErrors();
            var handle = Load(path, native, options.TensorSplit);
            cancellation.ThrowIfCancellationRequested();
            return new LlamaCppModel(Require(handle, path));
        }
        finally
        {
            pinned.Free();
        }
    }

    /// <summary>
    /// Opens the vocabulary, then the model without memory for weights, whose contexts build the compute graph. Then a
    /// model that is not large is loaded and computes.
    /// </summary>
    public void Probe(string path)
    {
        var file = GgufFile.Read(path);
        var native = Llama.ModelDefaultParams();
        native.GpuLayers = 0;
        native.LoadMode = LoadMode.None;
        native.VocabOnly = 1;
        using (var vocabulary = Open(path, native))
        {
            ProbeRun.Tokenize(new LlamaCppVocabulary(Llama.ModelGetVocab(vocabulary)));
        }

        native.VocabOnly = 0;
        native.NoAlloc = 1;
        using (var model = new LlamaCppModel(Open(path, native)))
        {
            model.CreateContext(ContextOptions.Probe).Dispose();
            ProbeRun.TryEmbed(model, []);
        }

        if (ProbeRun.MayCompute(file.WeightBytes))
        {
            using var model = Load(path, new ModelOptions { GpuLayers = 0 }, null, CancellationToken.None);
            ProbeRun.Compute(model);
        }
    }

    private static ModelHandle Open(string path, ModelParams native)
    {
        NativeLog.TakeErrors();
        return Require(Llama.ModelLoadFromFile(path, native), path);
    }

    private static ModelHandle Require(ModelHandle handle, string path) => handle.IsInvalid
        ? throw new ModelLoadException(
            $"llama.cpp cannot load {path}: {NativeLog.TakeErrors()}. The file is damaged, cut short, or of an "
            + "architecture this build does not know; fetch it again or choose another model.")
        : handle;

    /// <summary>Pads the shares: llama.cpp reads one for every possible device.</summary>
    private static unsafe ModelHandle Load(string path, ModelParams native, IReadOnlyList<float> split)
    {
        var shares = stackalloc float[(int)Llama.MaxDevices()];
        for (var i = 0; i < (int)Llama.MaxDevices(); i++)
        {
            shares[i] = i < split.Count ? split[i] : 0;
        }

        native.TensorSplit = split.Count > 0 ? (nint)shares : 0;
        return Llama.ModelLoadFromFile(path, native);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe byte OnProgress(float share, void* data)
    {
        var watch = (LoadWatch)GCHandle.FromIntPtr((nint)data).Target!;
        watch.Progress?.Report(share);
        return watch.Cancellation.IsCancellationRequested ? (byte)0 : (byte)1;
    }

    private sealed record LoadWatch(IProgress<float>? Progress, CancellationToken Cancellation);
}
