using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;

namespace Herd.Contracts.Nodes;

/// <summary>
/// One conversation's KV cache on one node. Keyed by <see cref="GrainKey.Session"/>; activated on that node. Calls with
/// an older epoch than it has seen are refused with <see cref="Errors.HerdError.Fenced"/>.
/// </summary>
[Alias("herd.ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Streams an answer. A newer call ends an older one.</summary>
    [Alias("Generate")]
    IAsyncEnumerable<GenerationEvent> Generate(SessionRequest request, CancellationToken cancellation);

    /// <summary>Pulls the session's KV cache from its home, which keeps it.</summary>
    /// <param name="link">The home's link.</param>
    /// <param name="session">The session's key at the home.</param>
    /// <param name="cancellation">Ends the pull; nothing is stored.</param>
    [Alias("Pull")]
    Task<KvPull> Pull(string link, string session, CancellationToken cancellation);

    /// <summary>
    /// Reads the replay buffer: the answer that this node produced for a turn, delivered or not; null if there is none.
    /// Ends the answer if it is still being generated.
    /// </summary>
    [Alias("Recall")]
    Task<GenerationEvent?> FetchReplayBuffer(long epoch, string turn);

    /// <summary>Frees the KV cache, because the session migrated or the conversation was deleted.</summary>
    [Alias("Release")]
    Task Release(long epoch);
}

/// <summary>A request for an answer.</summary>
[GenerateSerializer, Immutable, Alias("herd.SessionRequest")]
public sealed record SessionRequest
{
    [Id(0)] public required long Epoch { get; init; }

    [Id(1)] public required IReadOnlyList<HistoryMessage> Messages { get; init; }

    /// <summary>The tokens of the answer so far.</summary>
    [Id(2)] public IReadOnlyList<int> Produced { get; init; } = [];

    [Id(3)] public required GenerationSettings Settings { get; init; }

    /// <summary>The sampler state of the last event of <see cref="Produced"/>.</summary>
    [Id(4)] public float? SamplerState { get; init; }

    /// <summary>The turn's id, for the replay buffer.</summary>
    [Id(5)] public string Turn { get; init; } = "";

    /// <summary>The text of <see cref="Produced"/>.</summary>
    [Id(6)] public string ProducedText { get; init; } = "";

    /// <summary>The trace that the answer is a part of, as W3C's traceparent; null means none.</summary>
    [Id(7)] public string? Trace { get; init; }
}

/// <summary>The result of a pull of a KV cache.</summary>
/// <param name="Tokens">Tokens that were pulled; 0 if it failed.</param>
/// <param name="Bytes">Bytes over the network.</param>
/// <param name="Seconds">The time it took.</param>
/// <param name="Failure">The reason of a failure; null if it succeeded.</param>
[GenerateSerializer, Immutable, Alias("herd.KvMove")]
public sealed record KvPull(
    [property: Id(0), JsonPropertyName("tokens")] int Tokens,
    [property: Id(1), JsonPropertyName("bytes")] long Bytes,
    [property: Id(2), JsonPropertyName("seconds")] double Seconds,
    [property: Id(3), JsonPropertyName("failure")] string? Failure);

/// <summary>A message of the prompt.</summary>
/// <param name="Role">The speaker.</param>
/// <param name="Text">The text.</param>
/// <param name="Tokens">For an answer of the same model: its tokens. Null otherwise.</param>
[GenerateSerializer, Immutable, Alias("herd.HistoryMessage")]
public sealed record HistoryMessage(
    [property: Id(0)] Role Role,
    [property: Id(1)] string Text,
    [property: Id(2)] IReadOnlyList<int>? Tokens);

/// <summary>A part of an answer.</summary>
/// <param name="Tokens">The produced tokens.</param>
/// <param name="Text">The text that is complete with them.</param>
/// <param name="Result">Set on the last event.</param>
[GenerateSerializer, Immutable, Alias("herd.GenerationEvent")]
public sealed record GenerationEvent(
    [property: Id(0)] IReadOnlyList<int> Tokens,
    [property: Id(1)] string Text,
    [property: Id(2)] GenerationOutcome? Result)
{
    /// <summary>The sampler's state that tokens do not determine: Mirostat's bound. Null for other samplers.</summary>
    [Id(3)] public float? SamplerState { get; init; }

    /// <summary>One for each token; null if they were not requested.</summary>
    [Id(4)] public IReadOnlyList<TokenLogProbs>? LogProbs { get; init; }

    /// <summary>
    /// The tokens of the prompt, and those of them that were cached; set once, when its computation begins, and in a
    /// replay buffer. Null from a node of an older version.
    /// </summary>
    [Id(5)] public Usage? Prompt { get; init; }
}

/// <summary>The result of a complete answer.</summary>
[GenerateSerializer, Immutable, Alias("herd.GenerationOutcome")]
public sealed record GenerationOutcome(
    [property: Id(0)] Finish Finish,
    [property: Id(1)] bool TokensFit,
    [property: Id(2)] Usage Usage,
    [property: Id(3)] Timings Timings);
