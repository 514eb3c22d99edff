namespace Herd.Inference.Generation;

/// <summary>The prompt leaves no room for an answer in the context.</summary>
/// <param name="promptTokens">Tokens of the prompt.</param>
/// <param name="contextTokens">Tokens that a conversation can hold.</param>
public sealed class ContextOverflowException(int promptTokens, int contextTokens) : Exception(
    $"The conversation has {promptTokens} tokens, and a conversation can hold {contextTokens} with its answer. Shorten it.")
{
    public int PromptTokens { get; } = promptTokens;

    public int ContextTokens { get; } = contextTokens;
}

/// <summary>More requests wait than the engine lets wait.</summary>
public sealed class EngineOverloadedException(int queued) : Exception(
    $"{queued} requests wait for a slot already. Try again later.");

/// <summary>The engine is shutting down; the answer can go on elsewhere.</summary>
public sealed class EngineStoppedException() : Exception("The engine is shutting down.");
