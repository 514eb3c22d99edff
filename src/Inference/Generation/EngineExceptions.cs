namespace Herd.Inference.Generation;

/// <summary>The prompt fills the context and leaves no room for an answer.</summary>
/// <param name="promptTokens">Tokens of the prompt.</param>
/// <param name="contextTokens">The maximum number of tokens of a conversation.</param>
public sealed class ContextOverflowException(int promptTokens, int contextTokens) : Exception(
    $"The conversation has {promptTokens} tokens, and a conversation can hold {contextTokens} with its answer. "
        + "Shorten it.")
{
    public int PromptTokens { get; } = promptTokens;

    public int ContextTokens { get; } = contextTokens;
}

/// <summary>The queue of the engine is full.</summary>
/// <param name="queued">The maximum number of requests that may wait.</param>
public sealed class EngineOverloadedException(int queued) : Exception(
    $"{queued} requests wait for a slot already. Try again later.");

/// <summary>The engine is shutting down. The answer can continue on another node.</summary>
public sealed class EngineStoppedException() : Exception("The engine is shutting down.");
