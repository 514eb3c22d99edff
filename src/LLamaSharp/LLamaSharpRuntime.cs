using System.Reflection;
using Herd.Inference.Models;
using Herd.Inference.Models.Gguf;
using Herd.Inference.Runtime;
using LLama.Exceptions;
using LLama.Native;
using Microsoft.Extensions.Logging;

namespace Herd.LLamaSharp;

/// <summary>llama.cpp through LLamaSharp and the libraries of its backend package.</summary>
public sealed class LLamaSharpRuntime : ILlamaRuntime
{
    private static readonly string Version = typeof(LLamaSharpRuntime).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "LLamaSharp").Value!;

    /// <summary>Loads the native libraries.</summary>
    /// <exception cref="ModelLoadException">There are no libraries for this machine.</exception>
    public LLamaSharpRuntime(ILogger<LLamaSharpRuntime> logger) => BackendLibraries.Load(logger);

    public string Description => $"LLamaSharp {Version}";

    public bool IsNative => true;

    public GpuSupport Gpu => NativeApi.llama_supports_gpu_offload() ? GpuSupport.Found : GpuSupport.NotBuilt;

    /// <summary>Checks host memory only: LLamaSharp does not report the free memory of GPUs.</summary>
    public long Check(string path, ModelOptions options, ContextOptions context, long released = 0)
    {
        var plan = MemoryPlan.Create(GgufFile.ReadForChat(path), context);
        if (!NativeApi.llama_supports_gpu_offload() || options.GpuLayers == 0)
        {
            plan.Require(HostMemory.Free() + released, "this machine");
        }

        return plan.Total;
    }

    public ILlamaModel Load(
        string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation)
    {
        GgufFile.Read(path);
        if (options.TensorSplit.Count > 0)
        {
            throw new ModelLoadException(
                "The LLamaSharp runtime splits layers by the free memory of each GPU and does not support "
                + "Node:TensorSplit. Remove that setting, or use the native runtime.");
        }

        var native = LLamaModelParams.Default();
        native.n_gpu_layers = options.GpuLayers < 0 ? int.MaxValue : options.GpuLayers;
        native.load_mode = LLamaLoadMode.MemoryMap;
        LlamaProgressCallback watch = (share, _) =>
        {
            progress?.Report(share);
            return !cancellation.IsCancellationRequested;
        };
        native.progress_callback = watch;
        try
        {
            return new LLamaSharpModel(Open(path, native, cancellation), Version);
        }
        finally
        {
            GC.KeepAlive(watch);
        }
    }

    /// <summary>
    /// Opens the vocabulary, then the model without memory for weights, whose context builds the compute graph. Then a
    /// model that is not large is loaded and computes.
    /// </summary>
    public void Probe(string path)
    {
        var file = GgufFile.Read(path);
        var native = LLamaModelParams.Default();
        native.n_gpu_layers = 0;
        native.load_mode = LLamaLoadMode.None;
        native.vocab_only = true;
        using (var vocabulary = Open(path, native, CancellationToken.None))
        {
            ProbeRun.Tokenize(new LLamaSharpVocabulary(vocabulary));
        }

        native.vocab_only = false;
        native.no_alloc = true;
        using (var model = new LLamaSharpModel(Open(path, native, CancellationToken.None), Version))
        {
            model.CreateContext(ContextOptions.Probe).Dispose();
        }

        if (ProbeRun.MayCompute(file.WeightBytes))
        {
            using var model = Load(path, new ModelOptions { GpuLayers = 0 }, null, CancellationToken.None);
            ProbeRun.Compute(model);
        }
    }

    private static SafeLlamaModelHandle Open(string path, LLamaModelParams native, CancellationToken cancellation)
    {
        try
        {
            return SafeLlamaModelHandle.LoadFromFile(path, native);
        }
        catch (LoadWeightsFailedException e)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new ModelLoadException(
                $"LLamaSharp cannot load {path}: {e.Message} The file is damaged, or of an architecture this build "
                + "does not know; fetch it again or choose another model.",
                e);
        }
    }
}
