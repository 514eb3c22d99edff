using System.Text.Json.Serialization;

namespace Herd.Contracts.Conversations;

/// <summary>The speaker of a message. The numbers are a contract, of messages and of the store.</summary>
public enum Role
{
    System = 1,
    User = 2,
    Assistant = 3,

    /// <summary>The result of a function that the model called.</summary>
    Tool = 4,
}

[GenerateSerializer, Immutable, Alias("herd.Message")]
public sealed record Message(
    [property: Id(0), JsonPropertyName("role")] Role Role,
    [property: Id(1), JsonPropertyName("text")] string Text);

/// <summary>Why an answer ended. The numbers are a contract, of messages and of the store.</summary>
public enum Finish
{
    None = 0,
    Stop = 1,
    Length = 2,
    Cancelled = 3,
}

/// <summary>The state of a turn. The numbers are a contract, of messages and of the store.</summary>
public enum TurnState
{
    Pending = 1,
    Completed = 2,
    Cancelled = 3,
    Failed = 4,
}

/// <summary>
/// The keeper of a conversation's history. The names and numbers are a contract, of messages and of the store.
/// </summary>
public enum Retention
{
    /// <summary>Herd keeps it: the conversation is listed, and stored until it is deleted.</summary>
    Durable = 0,

    /// <summary>The caller keeps it: the conversation is not listed, and expires a day after its last turn.</summary>
    CallerKept = 1,
}

/// <summary>A conversation as it is stored.</summary>
[GenerateSerializer, Immutable, Alias("herd.Conversation")]
public sealed record Conversation
{
    [Id(0)] public required string Id { get; init; }

    [Id(1)] public string? Model { get; init; }

    [Id(2)] public required DateTimeOffset Created { get; init; }

    /// <summary>The node that has its session; null before the first turn.</summary>
    [Id(3)] public string? Home { get; init; }

    /// <summary>Rises with every change of home or owner, and is stored before it is used.</summary>
    [Id(4)] public long Epoch { get; init; }

    [Id(5)] public IReadOnlyList<Turn> Turns { get; init; } = [];

    /// <summary>The system message; null if there is none.</summary>
    [Id(6)] public string? System { get; init; }

    /// <summary>The latest migration between turns; null if there was none.</summary>
    [Id(7)] public Placements.PlacementDecision? LastMigration { get; init; }

    /// <summary>The tenant's notes about it; null if there are none.</summary>
    [Id(8)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The keeper of the history. Set when the conversation is created; it does not change.</summary>
    [Id(9)] public Retention Retention { get; init; }
}

/// <summary>A user's messages (or results of functions) and the answer.</summary>
[GenerateSerializer, Immutable, Alias("herd.Turn")]
public sealed record Turn
{
    [Id(0), JsonPropertyName("id")] public required string Id { get; init; }

    [Id(1), JsonPropertyName("state")] public required TurnState State { get; init; }

    [Id(2), JsonPropertyName("input")] public required IReadOnlyList<Message> Input { get; init; }

    [Id(3), JsonPropertyName("created")] public required DateTimeOffset Created { get; init; }

    [Id(4), JsonPropertyName("model")] public string? Model { get; init; }

    [Id(5), JsonPropertyName("settings")] public required GenerationSettings Settings { get; init; }

    [Id(6), JsonPropertyName("answer")] public Answer Answer { get; init; } = Answer.Empty;

    [Id(7), JsonPropertyName("finish")] public Finish Finish { get; init; }

    [Id(8), JsonPropertyName("usage")] public Usage? Usage { get; init; }

    [Id(9), JsonPropertyName("timings")] public Timings? Timings { get; init; }

    [Id(10), JsonPropertyName("node")] public string? Node { get; init; }

    /// <summary>
    /// The placements in order: at its beginning, and whenever it continued on another node. The latest eight.
    /// </summary>
    [Id(11), JsonPropertyName("placements")]
    public IReadOnlyList<Placements.PlacementDecision>? Placements { get; init; }

    /// <summary>True if it was deleted, and is kept only because later turns follow it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(12), JsonPropertyName("is_deleted")] public bool IsDeleted { get; init; }

    /// <summary>The caller's notes about it; null if there are none.</summary>
    [Id(13), JsonPropertyName("metadata")] public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>An answer as text and as tokens.</summary>
/// <param name="Text">The delivered text.</param>
/// <param name="Tokens">Its tokens in the vocabulary of the turn's model.</param>
/// <param name="TokensFit">False if the tokens run past the text, as after a stop sequence.</param>
[GenerateSerializer, Immutable, Alias("herd.Answer")]
public sealed record Answer(
    [property: Id(0), JsonPropertyName("text")] string Text,
    [property: Id(1), JsonPropertyName("tokens")] IReadOnlyList<int> Tokens,
    [property: Id(2), JsonPropertyName("tokens_fit")] bool TokensFit)
{
    public static readonly Answer Empty = new("", [], true);

    public bool IsEmpty => Text.Length == 0 && Tokens.Count == 0;
}

[GenerateSerializer, Immutable, Alias("herd.Usage")]
public sealed record Usage(
    [property: Id(0), JsonPropertyName("prompt_tokens")] int PromptTokens,
    [property: Id(1), JsonPropertyName("completion_tokens")] int CompletionTokens,
    [property: Id(2), JsonPropertyName("cached_tokens")] int CachedTokens);

[GenerateSerializer, Immutable, Alias("herd.Timings")]
public sealed record Timings(
    [property: Id(0), JsonPropertyName("queued")] TimeSpan Queued,
    [property: Id(1), JsonPropertyName("prefill")] TimeSpan Prefill,
    [property: Id(2), JsonPropertyName("decode")] TimeSpan Decode);
