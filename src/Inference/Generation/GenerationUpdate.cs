using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>The next piece of an answer.</summary>
/// <param name="Tokens">The tokens that were produced.</param>
/// <param name="Text">The text they release; whole characters, possibly empty.</param>
/// <param name="Result">Set on the last update.</param>
public sealed record GenerationUpdate(IReadOnlyList<int> Tokens, string Text, GenerationResult? Result = null)
{
    /// <summary>One for each token, if asked for.</summary>
    public IReadOnlyList<ChosenLogProb> LogProbs { get; init; } = [];

    /// <summary>Mirostat's bound after these tokens; null without Mirostat.</summary>
    public float? MirostatMu { get; init; }
}

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended it.</summary>
    EndOfText,

    /// <summary>A stop sequence was found. The tokens run past the end of the text.</summary>
    StopSequence,

    /// <summary>The most tokens asked for, or the end of the context, were reached.</summary>
    Length,
}

/// <summary>What an answer took.</summary>
/// <param name="Reason">Why it ended.</param>
/// <param name="PromptTokens">Tokens before the answer.</param>
/// <param name="CachedTokens">How many of them stood in the KV cache already.</param>
/// <param name="CompletionTokens">Tokens of the answer, those produced before included.</param>
/// <param name="Queued">Time until a slot was free.</param>
/// <param name="Prefill">Time from then to the first token.</param>
/// <param name="Decode">Time from then to the end.</param>
public sealed record GenerationResult(
    FinishReason Reason,
    int PromptTokens,
    int CachedTokens,
    int CompletionTokens,
    TimeSpan Queued,
    TimeSpan Prefill,
    TimeSpan Decode)
{
    /// <summary>Where the cached tokens were.</summary>
    public PrefixSource PrefixSource { get; init; }

    /// <summary>How long it took to have them in the slot; a part of <see cref="Prefill"/>.</summary>
    public TimeSpan Restore { get; init; }
}

/// <summary>What the KV cache of an answer began with.</summary>
public enum PrefixSource
{
    /// <summary>Nothing: the whole prompt was computed.</summary>
    Computed,

    /// <summary>It stood in the session's slot.</summary>
    Kept,

    /// <summary>Another slot's, of the same tenant.</summary>
    Copied,

    /// <summary>It was offloaded in host memory or on disk.</summary>
    Restored,
}
