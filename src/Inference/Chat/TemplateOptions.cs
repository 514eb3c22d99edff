namespace Herd.Inference.Chat;

/// <summary>
/// The limits of a chat template, which comes with a model file and is not trusted. They count work and never the wall
/// clock, so a busy machine renders what an idle one renders.
/// </summary>
public sealed record TemplateOptions
{
    /// <summary>
    /// The size of a prompt, in messages and functions, for which the limits of a rendering hold. They double with each
    /// doubling of the size. Default 64.
    /// </summary>
    public int Messages { get; init; } = 64;

    /// <summary>The characters of messages and functions that count as much as that size. Default 256 Ki.</summary>
    public int TextCharacters { get; init; } = 256 << 10;

    /// <summary>The maximum number of interpreter statements of a rendering. Default 2,000,000.</summary>
    public int Statements { get; init; } = 2_000_000;

    /// <summary>The maximum bytes that a rendering allocates, freed ones included. Default 64 MiB.</summary>
    public long Bytes { get; init; } = 64 << 20;

    /// <summary>The maximum processor time of a rendering, where statements take long. Default 5 s.</summary>
    public TimeSpan ProcessorTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The maximum depth of nested calls. Default 400.</summary>
    public int Depth { get; init; } = 400;

    /// <summary>The maximum number of characters of a template. Default 64 Ki.</summary>
    public int Characters { get; init; } = 64 << 10;
}
