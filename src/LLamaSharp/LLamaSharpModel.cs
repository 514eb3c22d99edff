using Herd.Inference.Runtime;
using LLama.Exceptions;
using LLama.Native;

namespace Herd.LLamaSharp;

internal sealed class LLamaSharpModel : ILlamaModel
{
    private readonly SafeLlamaModelHandle _handle;
    private readonly string _version;

    public LLamaSharpModel(SafeLlamaModelHandle handle, string version)
    {
        _handle = handle;
        _version = version;
        Info = new ModelInfo(
            handle.Description,
            handle.ContextSize,
            handle.GetTemplate(strict: false),
            (long)handle.SizeInBytes,
            (long)handle.ParameterCount);
        if (!handle.HasDecoder)
        {
            handle.Dispose();
            throw new ModelLoadException($"The model ({Info.Description}) has no decoder, so it cannot generate text.");
        }

        Vocabulary = new LLamaSharpVocabulary(handle);
    }

    public ModelInfo Info { get; }

    public IVocabulary Vocabulary { get; }

    public ILlamaContext CreateContext(ContextOptions options)
    {
        var native = LLamaContextParams.Default();
        native.n_ctx = (uint)(options.CellsPerSequence * options.Sequences);
        native.n_batch = native.n_ubatch = (uint)options.BatchTokens;
        native.n_seq_max = (uint)options.Sequences;
        native.n_threads = native.n_threads_batch = options.Threads;
        native.kv_unified = false;
        native.no_perf = true;
        try
        {
            var layout = $"LLamaSharp {_version}; {Info.Description}; keys f16; values f16";
            return new LLamaSharpContext(SafeLLamaContextHandle.Create(_handle, native), options, layout);
        }
        catch (RuntimeError e)
        {
            throw new ModelLoadException(
                $"There is not enough memory for {options.Sequences} sequences of {options.CellsPerSequence} "
                + $"tokens: {e.Message} Ask for "
                + "fewer slots or a shorter context.",
                e);
        }
    }

    public void Dispose() => _handle.Dispose();
}
