using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>A request for the answer to a prompt.</summary>
public sealed record GenerationRequest
{
    /// <summary>
    /// The id of the session. Tokens of earlier turns that are in its KV cache are not computed again.
    /// </summary>
    public required string Session { get; init; }

    /// <summary>
    /// The tenant of the session. Only sessions of one tenant share KV prefixes. Default: the empty name.
    /// </summary>
    public string Tenant { get; init; } = "";

    public Priority Priority { get; init; }

    /// <summary>A hash by which a router recognises the start of the conversation. 0 means none. Default 0.</summary>
    public ulong Prefix { get; init; }

    /// <summary>The tokens before the answer, one or more.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>Tokens of this answer that were already delivered, by this node or another. Default none.</summary>
    public IReadOnlyList<int> Produced { get; init; } = [];

    /// <summary>
    /// Mirostat's mu after <see cref="Produced"/>, in bits, from the last update. Null at the start of an answer.
    /// </summary>
    public float? MirostatMu { get; init; }

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>
    /// The maximum number of tokens of the answer, including <see cref="Produced"/>; 1 or more. Default: to the end of
    /// the context.
    /// </summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>
    /// The minimum time before each update, except the first and the last. Tokens produced meanwhile are in the next
    /// update. Fewer, larger messages save the processor time of delivering each. Default zero.
    /// </summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Stop sequences. They end the answer and are not part of it. Default none.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];
}
