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

/// <summary>The prompt cannot be computed: it has no tokens, or one that the vocabulary does not have.</summary>
/// <param name="message">What is wrong with it, and what to do.</param>
public sealed class InvalidPromptException(string message) : Exception(message);

/// <summary>One answer could not be computed, because of a defect. Others are not affected.</summary>
/// <param name="cause">The exception.</param>
public sealed class AnswerFailedException(Exception cause) : Exception(
    $"The answer could not be sampled: {cause.GetType().Name}. The node's log has the reason.", cause);

/// <summary>The engine's loop failed; the node ends. The answer can continue on another node.</summary>
/// <param name="cause">The exception that ended the loop.</param>
public sealed class EngineFailedException(Exception cause) : Exception($"The engine failed: {cause.Message}", cause);

/// <summary>The queue of the engine is full.</summary>
/// <param name="queued">The maximum number of requests that may wait.</param>
public sealed class EngineOverloadedException(int queued) : Exception(
    $"{queued} requests wait for a slot already. Try again later.");

/// <summary>The engine is shutting down. The answer can continue on another node.</summary>
public sealed class EngineStoppedException() : Exception("The engine is shutting down.");
