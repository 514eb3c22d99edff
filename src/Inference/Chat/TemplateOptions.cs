namespace Herd.Inference.Chat;

/// <summary>The limits of a chat template, which comes with a model file and is not trusted.</summary>
public sealed record TemplateOptions
{
    /// <summary>The maximum number of interpreter statements of a rendering. Default 2,000,000.</summary>
    public int Statements { get; init; } = 2_000_000;

    /// <summary>The maximum bytes that a rendering allocates. Default 64 MiB.</summary>
    public long Bytes { get; init; } = 64 << 20;

    /// <summary>The maximum depth of nested calls. Default 400.</summary>
    public int Depth { get; init; } = 400;

    /// <summary>
    /// The maximum time of a rendering, for what is no statement (a regular expression). Default 30 s: a busy machine
    /// reaches the limit of statements first.
    /// </summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The maximum number of characters of a template. Default 64 Ki.</summary>
    public int Characters { get; init; } = 64 << 10;
}
