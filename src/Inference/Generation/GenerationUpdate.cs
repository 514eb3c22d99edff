using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>The next part of an answer.</summary>
/// <param name="Tokens">The tokens produced since the last update.</param>
/// <param name="Text">The text that they complete: whole characters, possibly empty.</param>
/// <param name="Result">The result; null except on the last update.</param>
public sealed record GenerationUpdate(IReadOnlyList<int> Tokens, string Text, GenerationResult? Result = null)
{
    /// <summary>Log probabilities, one entry for each token. Empty if not requested.</summary>
    public IReadOnlyList<ChosenLogProb> LogProbs { get; init; } = [];

    /// <summary>Mirostat's mu after these tokens, in bits. Null without Mirostat.</summary>
    public float? MirostatMu { get; init; }

    /// <summary>The prompt, on the first update: its computation begins. Null on later ones.</summary>
    public PromptTokens? Prompt { get; init; }
}

/// <summary>The tokens of a prompt.</summary>
/// <param name="Total">All of them.</param>
/// <param name="Cached">Those that were already in the KV cache.</param>
public readonly record struct PromptTokens(int Total, int Cached);

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model produced an end-of-generation token.</summary>
    EndOfText,

    /// <summary>A stop sequence was found. The tokens may contain more than the text.</summary>
    StopSequence,

    /// <summary>The maximum number of tokens or the end of the context was reached.</summary>
    Length,
}

/// <summary>Why an answer ended, its token counts and its times.</summary>
/// <param name="Reason">Why it ended.</param>
/// <param name="PromptTokens">Tokens before the answer.</param>
/// <param name="CachedTokens">Tokens of the prompt that were already in the KV cache.</param>
/// <param name="CompletionTokens">Tokens of the answer, including those already delivered with the request.</param>
/// <param name="Queued">Time until the sequence got a slot.</param>
/// <param name="Prefill">Time from the slot to the first token.</param>
/// <param name="Decode">Time from the first token to the end.</param>
public sealed record GenerationResult(
    FinishReason Reason,
    int PromptTokens,
    int CachedTokens,
    int CompletionTokens,
    TimeSpan Queued,
    TimeSpan Prefill,
    TimeSpan Decode)
{
    /// <summary>The source of the cached tokens.</summary>
    public PrefixSource PrefixSource { get; init; }

    /// <summary>Time to copy or restore the cached tokens into the slot. Part of <see cref="Prefill"/>.</summary>
    public TimeSpan Restore { get; init; }
}

/// <summary>The source of the cached tokens of an answer.</summary>
public enum PrefixSource
{
    /// <summary>No cached tokens: the whole prompt was computed.</summary>
    Computed,

    /// <summary>From the session's own slot.</summary>
    Kept,

    /// <summary>Copied from another slot of the same tenant.</summary>
    Copied,

    /// <summary>Restored from host memory or disk.</summary>
    Restored,
}
