using Herd.Contracts.Conversations;

namespace Herd.Gateway.Generation;

/// <summary>
/// The settings of a request, before they are checked. Each interface reads its own fields into this record and gives
/// them the names that its clients know. <see cref="SettingsBuilder"/> checks them.
/// </summary>
internal sealed record SettingsFields
{
    public Field<float?> Temperature { get; init; }

    public Field<int?> TopK { get; init; }

    public Field<float?> TopP { get; init; }

    public Field<float?> MinP { get; init; }

    public Field<float?> TypicalP { get; init; }

    public ulong? Seed { get; init; }

    public Field<int?> MaxTokens { get; init; }

    public Field<IReadOnlyList<string>?> Stops { get; init; }

    public Field<float?> RepetitionPenalty { get; init; }

    public Field<float?> FrequencyPenalty { get; init; }

    public Field<float?> PresencePenalty { get; init; }

    public Field<DrySettings?> Dry { get; init; }

    public Field<XtcSettings?> Xtc { get; init; }

    public Field<MirostatSettings?> Mirostat { get; init; }

    /// <summary>The bias of each token id.</summary>
    public Field<IReadOnlyDictionary<int, float>?> Bias { get; init; }

    public Field<int?> LogProbs { get; init; }

    /// <summary>The required form of the answer; null means any text.</summary>
    public Field<AnswerForm?> Form { get; init; }

    public Field<IReadOnlyList<Tool>?> Tools { get; init; }

    public Field<ToolChoice?> ToolChoice { get; init; }

    public bool IgnoreEnd { get; init; }

    public bool IsRaw { get; init; }

    public ContextOverflow Overflow { get; init; }

    public TurnPriority Priority { get; init; }
}
