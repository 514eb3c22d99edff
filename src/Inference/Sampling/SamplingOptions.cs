using Herd.Inference.Grammars;

namespace Herd.Inference.Sampling;

/// <summary>The settings of sampling. The defaults leave the model's probabilities unchanged.</summary>
public sealed record SamplingOptions
{
    /// <summary>Divides the logits, 0 or more. 0 means greedy: always the most probable token. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Top-k: keeps the k most probable tokens. 0 means all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>
    /// Top-p: keeps the most probable tokens that together reach this probability; above 0, to 1. Default 1.
    /// </summary>
    public float TopP { get; init; } = 1;

    /// <summary>Min-p: keeps tokens with at least this share of the highest probability, 0 to 1. Default 0.</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Locally typical sampling (Meister et al., "Locally Typical Sampling", 2022): keeps the tokens whose information
    /// content is nearest to the entropy and that together reach this probability; above 0, to 1. Default 1, which
    /// keeps all.
    /// </summary>
    public float Typical { get; init; } = 1;

    /// <summary>Null means off. Default null.</summary>
    public XtcOptions? Xtc { get; init; }

    /// <summary>Null means off. If set, it replaces every filter except the temperature. Default null.</summary>
    public MirostatOptions? Mirostat { get; init; }

    public PenaltyOptions Penalties { get; init; } = new();

    /// <summary>Null means off. Default null.</summary>
    public DryOptions? Dry { get; init; }

    /// <summary>Values added to the logits of tokens, by token, before anything else. Default none.</summary>
    public IReadOnlyList<KeyValuePair<int, float>> Bias { get; init; } = [];

    /// <summary>True to forbid end-of-generation tokens. Default false.</summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>
    /// The number of most probable tokens to report with the log probability of each sampled token, 0 to 20. Null
    /// reports none. Values are the model's, before penalties, temperature and filters. Default null.
    /// </summary>
    public int? LogProbs { get; init; }

    /// <summary>The grammar of the answer. Null means any text. Default null.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>
    /// The seed of the random numbers. Each number follows from it and from the token's index in the answer.
    /// </summary>
    public ulong Seed { get; init; }
}

/// <summary>Penalties for tokens that occurred before.</summary>
public sealed record PenaltyOptions
{
    /// <summary>
    /// Divides positive logits of tokens seen in the window, and multiplies negative ones; above 0 (Keskar et al.,
    /// "CTRL", 2019). Default 1, which changes nothing.
    /// </summary>
    public float Repetition { get; init; } = 1;

    /// <summary>
    /// The last tokens of prompt and answer that <see cref="Repetition"/> looks at, 0 or more. Default 64.
    /// </summary>
    public int Window { get; init; } = 64;

    /// <summary>Subtracted from a token's logit for each time it occurred in the answer. Default 0.</summary>
    public float Frequency { get; init; }

    /// <summary>Subtracted from a token's logit if it occurred in the answer. Default 0.</summary>
    public float Presence { get; init; }

    internal bool ChangeNothing => Repetition == 1 && Frequency == 0 && Presence == 0;
}

/// <summary>
/// Penalises repeated passages (DRY, p-e-w, 2024). A token that would extend a repetition of n tokens loses
/// Multiplier x Base^(n - AllowedLength) of its logit.
/// </summary>
/// <param name="Multiplier">Above 0. Typical value 0.8.</param>
/// <param name="Base">1 or more. Typical value 1.75.</param>
/// <param name="AllowedLength">Shorter repetitions have no penalty; 1 or more. Typical value 2.</param>
/// <param name="Window">The number of last tokens that are searched. 0 means all.</param>
public sealed record DryOptions(float Multiplier, float Base = 1.75f, int AllowedLength = 2, int Window = 0);

/// <summary>
/// Randomly drops all probable tokens except the least probable of them (XTC, p-e-w, 2024).
/// </summary>
/// <param name="Probability">The probability of doing so at a token, 0 to 1.</param>
/// <param name="Threshold">The minimum probability of a probable token, 0 to 0.5.</param>
public sealed record XtcOptions(float Probability, float Threshold = 0.1f);

/// <summary>
/// Keeps the surprise of the answer near a target (Mirostat 2: Basu et al., "Mirostat", 2021).
/// </summary>
/// <param name="Tau">The target surprise, in bits. Typical value 5.</param>
/// <param name="Eta">The learning rate. Typical value 0.1.</param>
public sealed record MirostatOptions(float Tau = 5, float Eta = 0.1f);
