namespace Herd.Inference.Sampling;

/// <summary>The log probability of a token.</summary>
/// <param name="Token">The token.</param>
/// <param name="LogProb">The natural logarithm of its probability.</param>
public readonly record struct TokenLogProb(int Token, float LogProb);

/// <summary>The log probabilities of the sampled token and of the most probable tokens.</summary>
public sealed record ChosenLogProb(TokenLogProb Chosen, IReadOnlyList<TokenLogProb> Likeliest);
