namespace Herd.Contracts.Conversations;

/// <summary>A request for a turn. The gateway has validated it.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnRequest")]
public sealed record TurnRequest
{
    /// <summary>The turn's id. A second request with the same id does not repeat the turn.</summary>
    [Id(0)] public required string TurnId { get; init; }

    /// <summary>The new messages, or with <see cref="IsWholeHistory"/> the whole history.</summary>
    [Id(1)] public required IReadOnlyList<Message> Input { get; init; }

    [Id(2)] public required GenerationSettings Settings { get; init; }

    /// <summary>The model to use; null means the conversation's own.</summary>
    [Id(3)] public string? Model { get; init; }

    /// <summary>
    /// True if the caller keeps the history (the OpenAI API). The transcript becomes the history that the caller sent;
    /// turns that agree with it keep their tokens. Such a conversation is created if it does not exist, is not listed,
    /// and refuses a second turn at once with <see cref="Errors.HerdError.TurnInProgress"/> instead of waiting.
    /// </summary>
    [Id(4)] public bool IsWholeHistory { get; init; }

    /// <summary>
    /// The part of the answer that the caller received by an earlier call; it is not delivered again.
    /// </summary>
    [Id(5)] public AnswerOffset Offset { get; init; } = AnswerOffset.Start;

    /// <summary>
    /// The turn that this one follows; null means the last one. If it is not the last one, the turn is refused with
    /// <see cref="Errors.HerdError.Superseded"/>.
    /// </summary>
    [Id(6)] public string? After { get; init; }

    /// <summary>The trace that the turn is a part of, as W3C's traceparent; null means none.</summary>
    [Id(7)] public string? Trace { get; init; }

    /// <summary>The caller's notes about the turn; null if there are none.</summary>
    [Id(8)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>
    /// The id of the caller's event channel. A conversation in the caller's process writes events to that channel; in
    /// any other process the id is unknown, and events are sent in messages. Null means messages.
    /// </summary>
    [Id(9)] public Guid? EventChannel { get; init; }

    /// <summary>The name of the caller's API key, for the ledger; null if there is none.</summary>
    [Id(10)] public string? Key { get; init; }
}

/// <summary>A position in an answer: the part that was delivered in whole events.</summary>
/// <param name="Bytes">UTF-8 bytes of its text.</param>
/// <param name="Tokens">Tokens of that text.</param>
/// <param name="Epoch">The latest epoch under which a part of it was delivered.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerOffset")]
public sealed record AnswerOffset(
    [property: Id(0)] long Bytes, [property: Id(1)] int Tokens, [property: Id(2)] long Epoch = 0)
{
    public static readonly AnswerOffset Start = new(0, 0);

    /// <summary>XXH64 of that text in UTF-8; 0 if unknown.</summary>
    [Id(3)] public ulong Digest { get; init; }

    /// <summary>The position after one more delta.</summary>
    public AnswerOffset After(AnswerDelta delta) =>
        new(
            Bytes + System.Text.Encoding.UTF8.GetByteCount(delta.Text),
            Tokens + delta.Tokens,
            Math.Max(Epoch, delta.Epoch))
        {
            Digest = delta.Digest,
        };
}

/// <summary>An event of a turn. One of the three is set.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnEvent")]
public sealed record TurnEvent
{
    [Id(0)] public TurnStarted? Started { get; init; }

    [Id(1)] public AnswerDelta? Delta { get; init; }

    [Id(2)] public Turn? Completed { get; init; }

    /// <summary>
    /// With <see cref="Completed"/>: the store did not respond, so the turn is only in memory until it does.
    /// </summary>
    [Id(3)] public bool IsUnsaved { get; init; }

    /// <summary>
    /// Tokens that were computed for the turn since the event before, of its prompt and its answer. Parts that were
    /// computed by an earlier attempt of the turn do not count again. A delta without text and tokens has only this.
    /// </summary>
    [Id(4)] public int Computed { get; init; }
}

/// <summary>A node begins to answer. Sent again when another node continues.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnStarted")]
public sealed record TurnStarted(
    [property: Id(0)] string TurnId, [property: Id(1)] string Model, [property: Id(2)] string Node);

/// <summary>More of the answer.</summary>
/// <param name="Text">Whole characters.</param>
/// <param name="Tokens">The number of tokens of the text.</param>
/// <param name="Epoch">The conversation's epoch under which it was delivered.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerDelta")]
public sealed record AnswerDelta(
    [property: Id(0)] string Text, [property: Id(1)] int Tokens, [property: Id(2)] long Epoch = 0)
{
    /// <summary>Of an event that only says what was computed.</summary>
    public static readonly AnswerDelta Empty = new("", 0);

    /// <summary>One for each token; null if they were not requested, or are no longer known.</summary>
    [Id(3)] public IReadOnlyList<TokenLogProbs>? LogProbs { get; init; }

    /// <summary>XXH64 of the answer's text so far, in UTF-8; 0 if unknown.</summary>
    [Id(4)] public ulong Digest { get; init; }
}
