namespace Herd.Inference.Runtime;

/// <summary>How weights are held.</summary>
public sealed record ModelOptions
{
    /// <summary>Layers kept on the GPU; negative means all that fit the device. Default all.</summary>
    public int GpuLayers { get; init; } = -1;

    /// <summary>The share of the layers that each GPU takes, in any unit; empty means by the memory that each has free. Default empty.</summary>
    public IReadOnlyList<float> TensorSplit { get; init; } = [];
}

/// <summary>The size of a context.</summary>
public sealed record ContextOptions
{
    /// <summary>Sequences side by side, 1 to 256. Default 8.</summary>
    public int Sequences { get; init; } = 8;

    /// <summary>Tokens each sequence can hold. Default 4096.</summary>
    public int CellsPerSequence { get; init; } = 4096;

    /// <summary>Most tokens computed in one step. Default 256.</summary>
    public int BatchTokens { get; init; } = 256;

    /// <summary>CPU threads that compute. Default: every core.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}
