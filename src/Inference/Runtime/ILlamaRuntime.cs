namespace Herd.Inference.Runtime;

/// <summary>The interface to an inference runtime, which loads models. One per process.</summary>
public interface ILlamaRuntime
{
    /// <summary>Name and version, for display.</summary>
    string Description { get; }

    /// <summary>Tells if the runtime computes on a GPU.</summary>
    GpuSupport Gpu { get; }

    /// <summary>True if native code opens the files of models.</summary>
    bool IsNative => false;

    /// <summary>
    /// Checks a model's file before it is loaded: it is sound, can chat, and fits into memory.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">The devices of the weights.</param>
    /// <param name="context">The size of its context. 0 cells mean the model's training length.</param>
    /// <param name="released">Bytes that are free once the model before is unloaded.</param>
    /// <returns>The bytes that the model needs, estimated.</returns>
    /// <exception cref="ModelLoadException">
    /// The model does not fit, or its file is damaged or has no chat template.
    /// </exception>
    long Check(string path, ModelOptions options, ContextOptions context, long released = 0);

    /// <summary>Loads a GGUF file. Blocks until the weights are in place.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">The devices of the weights.</param>
    /// <param name="progress">Reports the loaded fraction, 0 to 1.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <exception cref="ModelLoadException">The file is missing, damaged or of an unsupported architecture.</exception>
    ILlamaModel Load(string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation);

    /// <summary>
    /// Opens a file as far as that takes no memory for its weights: vocabulary, hyperparameters, tensors, compute
    /// graph. Native code ends the process for some damaged files, so only a child process calls this.
    /// </summary>
    /// <exception cref="ModelLoadException">The file is missing, damaged or of an unsupported architecture.</exception>
    void Probe(string path)
    {
    }
}

/// <summary>Tells if a runtime computes on a GPU. The numbers are part of the wire contract.</summary>
public enum GpuSupport
{
    /// <summary>It was built for CPUs, or it is unknown.</summary>
    NotBuilt = 0,

    /// <summary>It was built for GPUs but found none.</summary>
    NotFound = 1,

    Found = 2,
}

/// <summary>Loaded weights and their vocabulary. Thread-safe except for <see cref="IDisposable.Dispose"/>.</summary>
public interface ILlamaModel : IDisposable
{
    ModelInfo Info { get; }

    IVocabulary Vocabulary { get; }

    /// <summary>Allocates a KV cache and compute buffers.</summary>
    /// <exception cref="ModelLoadException">There is not enough memory.</exception>
    ILlamaContext CreateContext(ContextOptions options);

    /// <summary>Allocates a context that computes embeddings.</summary>
    /// <param name="tokens">The maximum number of tokens of a text.</param>
    /// <param name="threads">The number of CPU threads.</param>
    /// <returns>The embedder; null if this runtime computes no embeddings.</returns>
    /// <exception cref="ModelLoadException">There is not enough memory.</exception>
    ILlamaEmbedder? CreateEmbedder(int tokens, int threads) => null;
}

/// <summary>
/// A KV cache of several sequences and the operations on it. Used by one thread at a time. Only <see cref="Logits"/>
/// may be called by several threads at once.
/// </summary>
public interface ILlamaContext : IDisposable
{
    /// <summary>The number of sequences. Their ids are 0 to this, exclusive.</summary>
    int Sequences { get; }

    /// <summary>The maximum number of tokens of one sequence.</summary>
    int CellsPerSequence { get; }

    /// <summary>The maximum number of tokens in one <see cref="Decode"/>.</summary>
    int BatchTokens { get; }

    /// <summary>Computes the batch and adds its tokens to the KV cache.</summary>
    /// <exception cref="DecodeException">
    /// Nothing was computed; the state of the sequences in the batch is unknown.
    /// </exception>
    void Decode(TokenBatch batch);

    /// <summary>The logits after a token of the last batch that asked for output.</summary>
    /// <param name="index">The batch index of the token.</param>
    /// <returns>One value for each vocabulary entry, valid until the next <see cref="Decode"/>.</returns>
    ReadOnlySpan<float> Logits(int index);

    /// <summary>Removes all tokens of a sequence from a position on.</summary>
    /// <returns>False if this model cannot remove a part of its state. Then nothing was changed.</returns>
    bool Truncate(int sequence, int length);

    /// <summary>
    /// The layout of saved states: build, geometry and types of the cache. A state can be loaded only by a context of
    /// the same model with an equal layout.
    /// </summary>
    string Layout { get; }

    /// <summary>Bytes that <see cref="Save"/> writes for the present state of a sequence.</summary>
    long StateBytes(int sequence);

    /// <summary>Copies the keys and values of a sequence to a buffer.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="target">The buffer, at least <see cref="StateBytes"/> long.</param>
    /// <exception cref="DecodeException">The runtime failed. The sequence is unchanged.</exception>
    void Save(int sequence, StateBuffer target);

    /// <summary>
    /// Replaces a sequence by a saved one. The bytes must come from <see cref="Save"/>; they are not checked.
    /// </summary>
    /// <exception cref="DecodeException">The runtime refused the bytes. The sequence is empty.</exception>
    void Load(int sequence, StateBuffer source);

    /// <summary>Replaces a sequence by a copy of another.</summary>
    /// <exception cref="DecodeException">The runtime failed. The target is empty.</exception>
    void Copy(int source, int target);
}
