namespace Herd.Inference.Simulated;

/// <summary>
/// How long a simulated runtime takes. The defaults were measured with SmolLM2-135M on two CPU cores (docs/performance.md).
/// </summary>
public sealed record SimulatedTimings
{
    /// <summary>Tokens of prompts computed a second. Default 850.</summary>
    public double PrefillPerSecond { get; init; } = 850;

    /// <summary>What a step takes before its first sequence. Default 4.5 ms.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromMilliseconds(4.5);

    /// <summary>What each sequence that decodes adds to a step. Default 1.5 ms.</summary>
    public TimeSpan Sequence { get; init; } = TimeSpan.FromMilliseconds(1.5);

    /// <summary>Tokens whose keys and values are saved, loaded or copied a second. Default 60,000.</summary>
    public double MovedPerSecond { get; init; } = 60_000;

    /// <summary>What loading takes. Default nothing.</summary>
    public TimeSpan Load { get; init; }

    /// <summary>The mean length of answers that nothing cuts short, in tokens. Default 64.</summary>
    public int AnswerTokens { get; init; } = 64;

    /// <summary>
    /// How it rounds: where the next two choices are close, as they are now and then, runtimes that differ in this choose differently.
    /// Default 0.
    /// </summary>
    public ulong Rounding { get; init; }

    /// <summary>How many times faster everything is. Default 1.</summary>
    public double Speed { get; init; } = 1;
}
