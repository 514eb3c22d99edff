namespace Herd.Inference.Simulated;

/// <summary>
/// The times of a simulated runtime. Defaults: SmolLM2-135M on two CPU cores (docs/performance.md).
/// </summary>
public sealed record SimulatedTimings
{
    /// <summary>Prompt tokens computed a second. Default 850.</summary>
    public double PrefillPerSecond { get; init; } = 850;

    /// <summary>The fixed time of a step. Default 4.5 ms.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromMilliseconds(4.5);

    /// <summary>The time that each decoding sequence adds to a step. Default 1.5 ms.</summary>
    public TimeSpan Sequence { get; init; } = TimeSpan.FromMilliseconds(1.5);

    /// <summary>Tokens of KV cache saved, loaded or copied a second. Default 60,000.</summary>
    public double CopiedPerSecond { get; init; } = 60_000;

    /// <summary>The time to load a model. Default zero.</summary>
    public TimeSpan Load { get; init; }

    /// <summary>The mean length of complete answers, in tokens. Default 64.</summary>
    public int AnswerTokens { get; init; } = 64;

    /// <summary>
    /// The rounding of the runtime. Sometimes two tokens have nearly equal logits. Then runtimes with different
    /// rounding sample different tokens. Default 0.
    /// </summary>
    public ulong Rounding { get; init; }

    /// <summary>The factor by which all times are shorter. Default 1.</summary>
    public double Speed { get; init; } = 1;
}
