namespace Herd.Inference.Chat;

/// <summary>A text has far more tokens than the model's context holds. It was not tokenised to its end.</summary>
/// <param name="tokens">Tokens that were counted.</param>
/// <param name="maxTokens">Tokens that are possible.</param>
public sealed class TextTooLongException(int tokens, int maxTokens) : Exception(
    $"The text has more than {tokens} tokens, and at most {maxTokens} are possible here. Shorten it.")
{
    public int Tokens { get; } = tokens;

    public int MaxTokens { get; } = maxTokens;
}
