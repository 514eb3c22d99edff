namespace Herd.Inference.Sampling;

/// <summary>How the next token is chosen.</summary>
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

    /// <summary>What the random numbers come from, with the token's index in the answer.</summary>
    public ulong Seed { get; init; }
}
