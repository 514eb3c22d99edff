namespace Herd.Inference.Runtime;

/// <summary>The seam to what computes: loads models. One per process.</summary>
public interface ILlamaRuntime
{
    /// <summary>Name and version, for people.</summary>
    string Description { get; }

    /// <summary>Whether it computes on a GPU.</summary>
    GpuSupport Gpu { get; }

    /// <summary>Refuses a model that the memory here is too small for, before anything of it is loaded.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How the weights are to be held.</param>
    /// <param name="context">The context it is to have; 0 cells mean as many as it was trained for.</param>
    /// <exception cref="ModelLoadException">It does not fit, or the file is damaged.</exception>
    void RequireMemory(string path, ModelOptions options, ContextOptions context);

    /// <summary>Loads a GGUF file. Blocks until the weights are in place.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How the weights are held.</param>
    /// <param name="progress">Told the share that is loaded, 0 to 1.</param>
    /// <param name="cancellation">Stops the loading.</param>
    /// <exception cref="ModelLoadException">The file is missing, damaged or of a kind the runtime does not know.</exception>
    ILlamaModel Load(string path, ModelOptions options, IProgress<float>? progress, CancellationToken cancellation);
}

/// <summary>Whether a runtime computes on a GPU. The numbers are a contract, of messages.</summary>
public enum GpuSupport
{
    /// <summary>It was built for CPUs, or does not say.</summary>
    NotBuilt = 0,

    /// <summary>It was built for GPUs, and finds none.</summary>
    NotFound = 1,

    Found = 2,
}

/// <summary>Loaded weights and their vocabulary. Thread-safe but for <see cref="IDisposable.Dispose"/>.</summary>
public interface ILlamaModel : IDisposable
{
    ModelInfo Info { get; }

    IVocabulary Vocabulary { get; }

    /// <summary>Allocates a KV cache and compute buffers.</summary>
    /// <exception cref="ModelLoadException">The memory is not to be had.</exception>
    ILlamaContext CreateContext(ContextOptions options);

    /// <summary>Allocates what makes vectors of texts.</summary>
    /// <param name="tokens">Most tokens of a text.</param>
    /// <param name="threads">CPU threads that compute.</param>
    /// <returns>Null when this runtime makes none.</returns>
    /// <exception cref="ModelLoadException">The memory is not to be had.</exception>
    ILlamaEmbedder? CreateEmbedder(int tokens, int threads) => null;
}

/// <summary>
/// A KV cache of several sequences and the means to extend them. Used by one thread at a time; <see cref="Logits"/> alone
/// may be called by several.
/// </summary>
public interface ILlamaContext : IDisposable
{
    /// <summary>How many sequences live side by side. Their ids are 0 to this, exclusive.</summary>
    int Sequences { get; }

    /// <summary>Tokens that one sequence can hold.</summary>
    int CellsPerSequence { get; }

    /// <summary>Most tokens in one <see cref="Decode"/>.</summary>
    int BatchTokens { get; }

    /// <summary>Computes the batch and adds its tokens to the KV cache.</summary>
    /// <exception cref="DecodeException">Nothing was computed; the state of the sequences in the batch is unknown.</exception>
    void Decode(TokenBatch batch);

    /// <summary>The logits after a token of the last batch that asked for output.</summary>
    /// <param name="index">The token's place in the batch.</param>
    /// <returns>One value per vocabulary entry, valid until the next <see cref="Decode"/>.</returns>
    ReadOnlySpan<float> Logits(int index);

    /// <summary>Forgets everything of a sequence from a position on.</summary>
    /// <returns>False when this model's memory cannot forget a part; then nothing was changed.</returns>
    bool Truncate(int sequence, int length);

    /// <summary>
    /// What a saved state depends on besides the weights: build, geometry and types of the cache. States travel only
    /// between contexts of the same model whose layouts are equal.
    /// </summary>
    string Layout { get; }

    /// <summary>Bytes that <see cref="Save"/> writes for a sequence as it is now.</summary>
    long StateBytes(int sequence);

    /// <summary>Copies the keys and values of a sequence out.</summary>
    /// <param name="sequence">The sequence.</param>
    /// <param name="target">Of at least <see cref="StateBytes"/>.</param>
    /// <exception cref="DecodeException">The runtime failed; the sequence is as it was.</exception>
    void Save(int sequence, StateBuffer target);

    /// <summary>Replaces a sequence by a saved one. The bytes must be what <see cref="Save"/> wrote: they are not checked.</summary>
    /// <exception cref="DecodeException">The runtime refused them; the sequence is empty.</exception>
    void Load(int sequence, StateBuffer source);

    /// <summary>Replaces a sequence by a copy of another.</summary>
    /// <exception cref="DecodeException">The runtime failed; the target is empty.</exception>
    void Copy(int source, int target);
}
