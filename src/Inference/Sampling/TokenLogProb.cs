namespace Herd.Inference.Sampling;

/// <summary>How likely the model found a token.</summary>
/// <param name="Token">The token.</param>
/// <param name="LogProb">The natural logarithm of its probability.</param>
public readonly record struct TokenLogProb(int Token, float LogProb);

/// <summary>How likely the model found the token that was chosen, and which it found likeliest.</summary>
public sealed record ChosenLogProb(TokenLogProb Chosen, IReadOnlyList<TokenLogProb> Likeliest);
