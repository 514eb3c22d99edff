using System.Text.Json.Serialization;

namespace Herd.Contracts.Conversations;

/// <summary>How an answer is generated. Null means what the model recommends.</summary>
[GenerateSerializer, Immutable, Alias("herd.GenerationSettings")]
public sealed record GenerationSettings
{
    /// <summary>0 to 2.</summary>
    [Id(0)] public float? Temperature { get; init; }

    /// <summary>0 or more; 0 means all.</summary>
    [Id(1)] public int? TopK { get; init; }

    /// <summary>Above 0, to 1.</summary>
    [Id(2)] public float? TopP { get; init; }

    /// <summary>0 to 1.</summary>
    [Id(3)] public float? MinP { get; init; }

    /// <summary>Chosen when the turn is stored, if the caller did not.</summary>
    [Id(4)] public ulong? Seed { get; init; }

    /// <summary>1 or more; null means to the end of the context.</summary>
    [Id(5)] public int? MaxTokens { get; init; }

    [Id(6)] public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Above 0, to 1; 1 means all.</summary>
    [Id(7)] public float? TypicalP { get; init; }

    [Id(8)] public PenaltySettings? Penalties { get; init; }

    /// <summary>Null means off.</summary>
    [Id(9)] public DrySettings? Dry { get; init; }

    /// <summary>Null means off.</summary>
    [Id(10)] public XtcSettings? Xtc { get; init; }

    /// <summary>Null means off.</summary>
    [Id(11)] public MirostatSettings? Mirostat { get; init; }

    /// <summary>Added to the logits of tokens, by their ids.</summary>
    [Id(12)] public IReadOnlyDictionary<int, float>? Bias { get; init; }

    /// <summary>The model cannot end the answer.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(13)] public bool IgnoreEnd { get; init; }

    /// <summary>Null means any text.</summary>
    [Id(14)] public AnswerForm? Form { get; init; }

    /// <summary>What is done with a history that is too long for the model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(15)] public ContextOverflow Overflow { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(16)] public TurnPriority Priority { get; init; }

    /// <summary>
    /// How many of the likeliest tokens are told with each token's own log-probability, 0 to 20; null tells nothing. They come
    /// with the answer as it is produced, and are not stored.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(17)] public int? LogProbs { get; init; }

    /// <summary>What the model may call; null means nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(18)] public IReadOnlyList<Tool>? Tools { get; init; }

    /// <summary>Null leaves it to the model whether it calls anything.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [Id(19)] public ToolChoice? ToolChoice { get; init; }

    /// <summary>The model goes on with what is said as it stands, without its template.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    [Id(20)] public bool IsRaw { get; init; }
}

/// <param name="Repetition">Above 0; 1 means none.</param>
/// <param name="Frequency">-2 to 2.</param>
/// <param name="Presence">-2 to 2.</param>
[GenerateSerializer, Immutable, Alias("herd.PenaltySettings")]
public sealed record PenaltySettings(
    [property: Id(0)] float? Repetition = null, [property: Id(1)] float? Frequency = null, [property: Id(2)] float? Presence = null);

/// <param name="Multiplier">0 or more; 0 means off.</param>
/// <param name="Base">1 or more.</param>
/// <param name="AllowedLength">1 or more.</param>
[GenerateSerializer, Immutable, Alias("herd.DrySettings")]
public sealed record DrySettings(
    [property: Id(0)] float Multiplier, [property: Id(1)] float? Base = null, [property: Id(2)] int? AllowedLength = null);

/// <param name="Probability">0 to 1.</param>
/// <param name="Threshold">0 to 0.5.</param>
[GenerateSerializer, Immutable, Alias("herd.XtcSettings")]
public sealed record XtcSettings([property: Id(0)] float Probability, [property: Id(1)] float? Threshold = null);

/// <param name="Tau">Above 0.</param>
/// <param name="Eta">Above 0.</param>
[GenerateSerializer, Immutable, Alias("herd.MirostatSettings")]
public sealed record MirostatSettings([property: Id(0)] float? Tau = null, [property: Id(1)] float? Eta = null);

/// <summary>What an answer must be.</summary>
/// <param name="Schema">A JSON schema; null means any JSON object.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerForm")]
public sealed record AnswerForm([property: Id(0)] string? Schema);

/// <summary>The numbers are a contract, of messages and of the store.</summary>
public enum ContextOverflow
{
    Refuse = 0,

    /// <summary>The oldest turns are left out of what the model is shown; system messages stay.</summary>
    Shift = 1,
}

/// <summary>Who goes first. The numbers are a contract, of messages and of the store.</summary>
public enum TurnPriority
{
    Interactive = 0,
    Background = 1,
}
