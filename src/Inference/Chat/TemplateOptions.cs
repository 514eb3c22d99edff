namespace Herd.Inference.Chat;

/// <summary>What a chat template, which comes with a model file and is not trusted, may use.</summary>
public sealed record TemplateOptions
{
    /// <summary>Statements of the interpreter a rendering may run. Default 2,000,000.</summary>
    public int Statements { get; init; } = 2_000_000;

    /// <summary>Bytes a rendering may allocate. Default 64 MiB.</summary>
    public long Bytes { get; init; } = 64 << 20;

    /// <summary>Nested calls of the interpreter. Default 400.</summary>
    public int Depth { get; init; } = 400;

    /// <summary>Time a rendering may take. Default 2 s.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Characters of a template. Default 64 Ki.</summary>
    public int Characters { get; init; } = 64 << 10;
}
