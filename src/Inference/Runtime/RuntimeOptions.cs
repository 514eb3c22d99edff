namespace Herd.Inference.Runtime;

/// <summary>The devices of the weights.</summary>
public sealed record ModelOptions
{
    /// <summary>The number of layers on the GPU. Negative means as many as fit. Default: negative.</summary>
    public int GpuLayers { get; init; } = -1;

    /// <summary>
    /// The share of the layers for each GPU, as relative weights. Empty means in proportion to free memory. Default
    /// empty.
    /// </summary>
    public IReadOnlyList<float> TensorSplit { get; init; } = [];
}

/// <summary>The size of a context.</summary>
public sealed record ContextOptions
{
    /// <summary>The number of sequences, 1 to 256. Default 8.</summary>
    public int Sequences { get; init; } = 8;

    /// <summary>The maximum number of tokens of each sequence. Default 4096.</summary>
    public int CellsPerSequence { get; init; } = 4096;

    /// <summary>The maximum number of tokens computed in one step. Default 256.</summary>
    public int BatchTokens { get; init; } = 256;

    /// <summary>The number of CPU threads. Default: one for each core.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>The context of a probe: small, with more than one sequence.</summary>
    public static ContextOptions Probe { get; } = new()
    {
        Sequences = 2, CellsPerSequence = 256, BatchTokens = 8, Threads = 1,
    };
}
