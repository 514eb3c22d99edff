using Herd.Inference.Sampling;

namespace Herd.Inference.Generation;

/// <summary>Asks for the answer to a prompt.</summary>
public sealed record GenerationRequest
{
    /// <summary>Whose KV cache this is. What stands in it from earlier turns is not computed again.</summary>
    public required string Session { get; init; }

    /// <summary>Whose session it is: beginnings are shared among sessions of one tenant only. Default the empty name.</summary>
    public string Tenant { get; init; } = "";

    public Priority Priority { get; init; }

    /// <summary>What a router may know the beginning of the conversation by; 0 when there is none. Default 0.</summary>
    public ulong Prefix { get; init; }

    /// <summary>The tokens before the answer, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>Tokens of this answer that were produced and delivered before, here or elsewhere. Default none.</summary>
    public IReadOnlyList<int> Produced { get; init; } = [];

    /// <summary>Mirostat's bound after <see cref="Produced"/>, as the last update told it; null at the beginning.</summary>
    public float? MirostatMu { get; init; }

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Most tokens of the answer, <see cref="Produced"/> among them, 1 or more. Default: to the end of the context.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>
    /// The least time between two updates but the first and the last: what comes meanwhile is in the next, since many small
    /// messages cost whoever delivers them more than computing their tokens did. Default zero.
    /// </summary>
    public TimeSpan Interval { get; init; }

    /// <summary>Texts that end the answer and are not part of it. Default none.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];
}
