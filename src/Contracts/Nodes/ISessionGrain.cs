using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;

namespace Herd.Contracts.Nodes;

/// <summary>
/// One conversation's KV cache on one node. Keyed by <see cref="GrainKey.Session"/>; lives on that node. Calls with an
/// older epoch than it has seen are refused with <see cref="Errors.HerdError.Fenced"/>.
/// </summary>
[Alias("herd.ISessionGrain")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Streams an answer. A newer call ends an older one.</summary>
    [Alias("Generate")]
    IAsyncEnumerable<GenerationEvent> Generate(SessionRequest request, CancellationToken cancellation);

    /// <summary>Takes in the KV cache of the session from the node that was its home, which keeps it.</summary>
    /// <param name="link">That node's link.</param>
    /// <param name="session">The session's key there.</param>
    /// <param name="cancellation">Gives up; then nothing was taken in.</param>
    [Alias("Pull")]
    Task<KvMove> Pull(string link, string session, CancellationToken cancellation);

    /// <summary>
    /// What was produced of a turn's answer here, delivered or not; null when nothing is known of it. Ends the answer if it is
    /// still in the making.
    /// </summary>
    [Alias("Recall")]
    Task<GenerationEvent?> FetchReplay(long epoch, string turn);

    /// <summary>Frees the KV cache: the session lives elsewhere now, or is over.</summary>
    [Alias("Release")]
    Task Release(long epoch);
}

/// <summary>Asks a node for an answer.</summary>
[GenerateSerializer, Immutable, Alias("herd.SessionRequest")]
public sealed record SessionRequest
{
    [Id(0)] public required long Epoch { get; init; }

    [Id(1)] public required IReadOnlyList<HistoryMessage> Messages { get; init; }

    /// <summary>Tokens of this answer that the client has already.</summary>
    [Id(2)] public IReadOnlyList<int> Produced { get; init; } = [];

    [Id(3)] public required GenerationSettings Settings { get; init; }

    /// <summary>What the last event told with <see cref="Produced"/>.</summary>
    [Id(4)] public float? SamplerState { get; init; }

    /// <summary>The turn, so that its answer can be recalled.</summary>
    [Id(5)] public string Turn { get; init; } = "";

    /// <summary>The text that was delivered with <see cref="Produced"/>.</summary>
    [Id(6)] public string ProducedText { get; init; } = "";

    /// <summary>The trace that the answer is a part of, as W3C's traceparent; null means none.</summary>
    [Id(7)] public string? Trace { get; init; }
}

/// <summary>How bringing a KV cache from another node went.</summary>
/// <param name="Tokens">Tokens whose keys and values came; 0 when none did.</param>
/// <param name="Bytes">What went over the network.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Failure">Why nothing came; null when it did.</param>
[GenerateSerializer, Immutable, Alias("herd.KvMove")]
public sealed record KvMove(
    [property: Id(0), JsonPropertyName("tokens")] int Tokens,
    [property: Id(1), JsonPropertyName("bytes")] long Bytes,
    [property: Id(2), JsonPropertyName("seconds")] double Seconds,
    [property: Id(3), JsonPropertyName("failure")] string? Failure);

/// <summary>A message of the prompt.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Text">What is said.</param>
/// <param name="Tokens">For an answer of the same model: its tokens. Null otherwise.</param>
[GenerateSerializer, Immutable, Alias("herd.HistoryMessage")]
public sealed record HistoryMessage(
    [property: Id(0)] Role Role,
    [property: Id(1)] string Text,
    [property: Id(2)] IReadOnlyList<int>? Tokens);

/// <summary>More of an answer.</summary>
/// <param name="Tokens">What was produced.</param>
/// <param name="Text">The text it releases.</param>
/// <param name="Result">Set on the last one.</param>
[GenerateSerializer, Immutable, Alias("herd.GenerationEvent")]
public sealed record GenerationEvent(
    [property: Id(0)] IReadOnlyList<int> Tokens,
    [property: Id(1)] string Text,
    [property: Id(2)] GenerationOutcome? Result)
{
    /// <summary>What sampling carries on beside the tokens, if anything: Mirostat's bound.</summary>
    [Id(3)] public float? SamplerState { get; init; }

    /// <summary>One for each token; null when they were not asked for.</summary>
    [Id(4)] public IReadOnlyList<TokenLogProbs>? LogProbs { get; init; }
}

/// <summary>How an answer ended and what it took.</summary>
[GenerateSerializer, Immutable, Alias("herd.GenerationOutcome")]
public sealed record GenerationOutcome(
    [property: Id(0)] Finish Finish,
    [property: Id(1)] bool TokensFit,
    [property: Id(2)] Usage Usage,
    [property: Id(3)] Timings Timings);
