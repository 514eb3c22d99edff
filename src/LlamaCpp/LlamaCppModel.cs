using System.Runtime.InteropServices;
using System.Text;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

internal sealed class LlamaCppModel : ILlamaModel
{
    /// <summary>llama_pooling_type.</summary>
    private const int PoolingUnspecified = -1;
    private const int PoolingNone = 0;
    private const int PoolingMean = 1;

    private readonly ModelHandle _handle;

    public LlamaCppModel(ModelHandle handle)
    {
        _handle = handle;
        Info = ReadInfo(handle);
        if (!Llama.ModelHasDecoder(handle))
        {
            handle.Dispose();
            throw new ModelLoadException($"The model ({Info.Description}) has no decoder, so it cannot generate text.");
        }

        Vocabulary = new LlamaCppVocabulary(Llama.ModelGetVocab(handle));
    }

    public ModelInfo Info { get; }

    public IVocabulary Vocabulary { get; }

    public ILlamaContext CreateContext(ContextOptions options)
    {
        NativeLog.TakeErrors();
        var native = Llama.ContextDefaultParams();
        native.Context = (uint)(options.CellsPerSequence * options.Sequences);
        native.Batch = native.MicroBatch = (uint)options.BatchTokens;
        native.Sequences = (uint)options.Sequences;
        native.Threads = native.ThreadsBatch = options.Threads;

        // Each sequence has its own cells, which suits many conversations with few common tokens.
        native.KvUnified = 0;
        native.NoPerformanceCounters = 1;
        var handle = Llama.InitFromModel(_handle, native);
        return handle.IsInvalid
            ? throw new ModelLoadException(
                $"There is not enough memory for {options.Sequences} sequences of {options.CellsPerSequence} tokens: "
                + $"{NativeLog.TakeErrors()}. Ask for fewer slots or a shorter context.")
            : new LlamaCppContext(_handle, handle, options, Vocabulary.Count, Layout);
    }

    public ILlamaEmbedder CreateEmbedder(int tokens, int threads)
    {
        var own = Pooling(tokens, threads, PoolingUnspecified);
        if (Llama.PoolingType(own) > PoolingNone)
        {
            return new LlamaCppEmbedder(own, tokens, Llama.ModelEmbeddingLength(_handle));
        }

        own.Dispose();
        return new LlamaCppEmbedder(Pooling(tokens, threads, PoolingMean), tokens, Llama.ModelEmbeddingLength(_handle));
    }

    public void Dispose() => _handle.Dispose();

    private ContextHandle Pooling(int tokens, int threads, int pooling)
    {
        NativeLog.TakeErrors();
        var native = Llama.ContextDefaultParams();
        native.Context = native.Batch = native.MicroBatch = (uint)tokens;
        native.Sequences = 1;
        native.Threads = native.ThreadsBatch = threads;
        native.Embeddings = 1;
        native.Pooling = pooling;
        native.NoPerformanceCounters = 1;
        var handle = Llama.InitFromModel(_handle, native);
        return handle.IsInvalid
            ? throw new ModelLoadException(
                $"There is not enough memory for embeddings of {tokens} tokens: {NativeLog.TakeErrors()}.")
            : handle;
    }

    private string Layout => $"llama.cpp {NativeLibraries.ExpectedVersion}; {Info.Description}; keys f16; values f16";

    private static unsafe ModelInfo ReadInfo(ModelHandle handle)
    {
        const int Size = 256;
        var buffer = stackalloc byte[Size];
        var length = Llama.ModelDescription(handle, buffer, Size);
        return new ModelInfo(
            Encoding.UTF8.GetString(buffer, Math.Clamp(length, 0, Size - 1)),
            Llama.ModelContextLength(handle),
            Marshal.PtrToStringUTF8((nint)Llama.ModelChatTemplate(handle, null)),
            (long)Llama.ModelSize(handle),
            (long)Llama.ModelParameters(handle));
    }
}
