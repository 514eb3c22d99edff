using System.Text.Json.Serialization;

namespace Herd.Contracts.Conversations;

/// <summary>The settings of an answer. Null means the model's recommendation.</summary>
[GenerateSerializer, Immutable, Alias("herd.GenerationSettings")]
public sealed record GenerationSettings
{
    /// <summary>0 to 2.</summary>
    [Id(0), JsonPropertyName("temperature")] public float? Temperature { get; init; }

    /// <summary>0 or more; 0 means all.</summary>
    [Id(1), JsonPropertyName("top_k")] public int? TopK { get; init; }

    /// <summary>Above 0, to 1.</summary>
    [Id(2), JsonPropertyName("top_p")] public float? TopP { get; init; }

    /// <summary>0 to 1.</summary>
    [Id(3), JsonPropertyName("min_p")] public float? MinP { get; init; }

    /// <summary>Chosen when the turn is stored, if the caller did not.</summary>
    [Id(4), JsonPropertyName("seed")] public ulong? Seed { get; init; }

    /// <summary>1 or more; null means to the end of the context.</summary>
    [Id(5), JsonPropertyName("max_tokens")] public int? MaxTokens { get; init; }

    [Id(6), JsonPropertyName("stops")] public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Above 0, to 1; 1 means all.</summary>
    [Id(7), JsonPropertyName("typical_p")] public float? TypicalP { get; init; }

    [Id(8), JsonPropertyName("penalties")] public PenaltySettings? Penalties { get; init; }

    /// <summary>Null means off.</summary>
    [Id(9), JsonPropertyName("dry")] public DrySettings? Dry { get; init; }

    /// <summary>Null means off.</summary>
    [Id(10), JsonPropertyName("xtc")] public XtcSettings? Xtc { get; init; }

    /// <summary>Null means off.</summary>
    [Id(11), JsonPropertyName("mirostat")] public MirostatSettings? Mirostat { get; init; }

    /// <summary>Added to the logits of tokens, by their ids.</summary>
    [Id(12), JsonPropertyName("bias")] public IReadOnlyDictionary<int, float>? Bias { get; init; }

    /// <summary>The model cannot end the answer.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(13), JsonPropertyName("ignore_end")] public bool IgnoreEnd { get; init; }

    /// <summary>Null means any text.</summary>
    [Id(14), JsonPropertyName("form")] public AnswerForm? Form { get; init; }

    /// <summary>The handling of a history that is longer than the model's context.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(15), JsonPropertyName("overflow")] public ContextOverflow Overflow { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(16), JsonPropertyName("priority")] public TurnPriority Priority { get; init; }

    /// <summary>
    /// The number of likeliest tokens that come with each token and its own log probability, 0 to 20; null means no log
    /// probabilities. They are streamed with the answer and not stored.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(17), JsonPropertyName("log_probs")] public int? LogProbs { get; init; }

    /// <summary>The functions that the model may call; null means none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(18), JsonPropertyName("tools")] public IReadOnlyList<Tool>? Tools { get; init; }

    /// <summary>Null lets the model decide whether it calls a function.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(19), JsonPropertyName("tool_choice")] public ToolChoice? ToolChoice { get; init; }

    /// <summary>True if the model continues the text as it is, without a chat template.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(20), JsonPropertyName("is_raw")] public bool IsRaw { get; init; }
}

/// <param name="Repetition">Above 0; 1 means none.</param>
/// <param name="Frequency">-2 to 2.</param>
/// <param name="Presence">-2 to 2.</param>
[GenerateSerializer, Immutable, Alias("herd.PenaltySettings")]
public sealed record PenaltySettings(
    [property: Id(0), JsonPropertyName("repetition")] float? Repetition = null,
    [property: Id(1), JsonPropertyName("frequency")] float? Frequency = null,
    [property: Id(2), JsonPropertyName("presence")] float? Presence = null);

/// <param name="Multiplier">0 or more; 0 means off.</param>
/// <param name="Base">1 or more.</param>
/// <param name="AllowedLength">1 or more.</param>
[GenerateSerializer, Immutable, Alias("herd.DrySettings")]
public sealed record DrySettings(
    [property: Id(0), JsonPropertyName("multiplier")] float Multiplier,
    [property: Id(1), JsonPropertyName("base")] float? Base = null,
    [property: Id(2), JsonPropertyName("allowed_length")] int? AllowedLength = null);

/// <param name="Probability">0 to 1.</param>
/// <param name="Threshold">0 to 0.5.</param>
[GenerateSerializer, Immutable, Alias("herd.XtcSettings")]
public sealed record XtcSettings(
    [property: Id(0), JsonPropertyName("probability")] float Probability,
    [property: Id(1), JsonPropertyName("threshold")] float? Threshold = null);

/// <param name="Tau">Above 0.</param>
/// <param name="Eta">Above 0.</param>
[GenerateSerializer, Immutable, Alias("herd.MirostatSettings")]
public sealed record MirostatSettings(
    [property: Id(0), JsonPropertyName("tau")] float? Tau = null,
    [property: Id(1), JsonPropertyName("eta")] float? Eta = null);

/// <summary>A format that the answer must have: JSON.</summary>
/// <param name="Schema">A JSON schema; null means any JSON object.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerForm")]
public sealed record AnswerForm([property: Id(0), JsonPropertyName("schema")] string? Schema);

/// <summary>The numbers are a contract, of messages and of the store.</summary>
public enum ContextOverflow
{
    Refuse = 0,

    /// <summary>The oldest turns are omitted from the prompt; system messages stay.</summary>
    Shift = 1,
}

/// <summary>
/// The scheduling class of a turn; interactive turns go first. The numbers are a contract, of messages and of the
/// store.
/// </summary>
public enum TurnPriority
{
    Interactive = 0,
    Background = 1,
}
