using Herd.Inference.Grammars;

namespace Herd.Inference.Sampling;

/// <summary>How the next token is chosen. Defaults change nothing about the model's own probabilities.</summary>
public sealed record SamplingOptions
{
    /// <summary>Divides the logits, 0 or more. 0 takes the likeliest token always. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Only the k likeliest tokens. 0 means all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>Only the likeliest tokens that together reach this probability, above 0 to 1. Default 1.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Only tokens at least this share as likely as the likeliest, 0 to 1. Default 0.</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Only tokens that are about as surprising as is usual here, together reaching this probability, above 0 to 1 (Meister et
    /// al., "Locally Typical Sampling", 2022). Default 1, which means all.
    /// </summary>
    public float Typical { get; init; } = 1;

    /// <summary>Null means off. Default off.</summary>
    public XtcOptions? Xtc { get; init; }

    /// <summary>Null means off; if set, it takes the place of every filter but the temperature. Default off.</summary>
    public MirostatOptions? Mirostat { get; init; }

    public PenaltyOptions Penalties { get; init; } = new();

    /// <summary>Null means off. Default off.</summary>
    public DryOptions? Dry { get; init; }

    /// <summary>Added to the logits of tokens before anything else. Default none.</summary>
    public IReadOnlyList<KeyValuePair<int, float>> Bias { get; init; } = [];

    /// <summary>Never ends the answer by itself. Default false.</summary>
    public bool IgnoreEnd { get; init; }

    /// <summary>
    /// How many of the likeliest tokens are told with each token's own log-probability, 0 to 20; null tells nothing. They are
    /// the model's own, before penalties, temperature and filters. Default null.
    /// </summary>
    public int? LogProbs { get; init; }

    /// <summary>What the answer must be; null means anything. Default anything.</summary>
    public Grammar? Grammar { get; init; }

    /// <summary>What the random numbers come from, with the token's index in the answer.</summary>
    public ulong Seed { get; init; }
}

/// <summary>Makes what was said before less likely.</summary>
public sealed record PenaltyOptions
{
    /// <summary>
    /// Divides positive logits of tokens seen in the window, and multiplies negative ones; above 0 (Keskar et al., "CTRL", 2019).
    /// Default 1, which changes nothing.
    /// </summary>
    public float Repetition { get; init; } = 1;

    /// <summary>The last tokens of prompt and answer that <see cref="Repetition"/> looks at, 0 or more. Default 64.</summary>
    public int Window { get; init; } = 64;

    /// <summary>Taken from a token's logit for each time it came up in the answer. Default 0.</summary>
    public float Frequency { get; init; }

    /// <summary>Taken from a token's logit if it came up in the answer. Default 0.</summary>
    public float Presence { get; init; }

    internal bool ChangeNothing => Repetition == 1 && Frequency == 0 && Presence == 0;
}

/// <summary>
/// Makes it less likely that a passage is said again, the more so the longer it is already (DRY, p-e-w, 2024): a token that would
/// make a repeated run of n tokens longer loses Multiplier x Base^(n - AllowedLength).
/// </summary>
/// <param name="Multiplier">Above 0. Usual 0.8.</param>
/// <param name="Base">1 or more. Usual 1.75.</param>
/// <param name="AllowedLength">Runs shorter than this are free; 1 or more. Usual 2.</param>
/// <param name="Window">The last tokens looked at; 0 means all.</param>
public sealed record DryOptions(float Multiplier, float Base = 1.75f, int AllowedLength = 2, int Window = 0);

/// <summary>
/// Now and then drops all of the likely tokens but the least likely of them (XTC, p-e-w, 2024).
/// </summary>
/// <param name="Probability">How often, 0 to 1.</param>
/// <param name="Threshold">The probability from which a token is likely, 0 to 0.5.</param>
public sealed record XtcOptions(float Probability, float Threshold = 0.1f);

/// <summary>
/// Keeps the mirostatMu of the answer near a target (Mirostat 2: Basu et al., 2021).
/// </summary>
/// <param name="Tau">The target, in bits. Usual 5.</param>
/// <param name="Eta">How fast it is approached. Usual 0.1.</param>
public sealed record MirostatOptions(float Tau = 5, float Eta = 0.1f);
