using System.Threading.Channels;

namespace Herd.Contracts.Conversations;

/// <summary>Asks for a turn. Validated by the gateway.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnRequest")]
public sealed record TurnRequest
{
    /// <summary>Makes a retry harmless.</summary>
    [Id(0)] public required string TurnId { get; init; }

    /// <summary>What is said: the new message, or with <see cref="IsWholeHistory"/> everything so far.</summary>
    [Id(1)] public required IReadOnlyList<Message> Input { get; init; }

    [Id(2)] public required GenerationSettings Settings { get; init; }

    /// <summary>The model to use; null means the conversation's own.</summary>
    [Id(3)] public string? Model { get; init; }

    /// <summary>
    /// The caller keeps the history (the OpenAI API). The transcript becomes what the caller sent; turns that agree with
    /// it stay as they are, with their tokens. Such a conversation is made when it does not exist, is not listed, and
    /// refuses a second turn at once with <see cref="Errors.HerdError.TurnInProgress"/> instead of waiting.
    /// </summary>
    [Id(4)] public bool IsWholeHistory { get; init; }

    /// <summary>What the caller has of the answer from an earlier call; it is not delivered again.</summary>
    [Id(5)] public AnswerOffset Offset { get; init; } = AnswerOffset.Start;

    /// <summary>
    /// The turn that this one follows; null means whichever is the last. When it is another, the turn is refused with
    /// <see cref="Errors.HerdError.Superseded"/>.
    /// </summary>
    [Id(6)] public string? After { get; init; }

    /// <summary>The trace that the turn is a part of, as W3C's traceparent; null means none.</summary>
    [Id(7)] public string? Trace { get; init; }

    /// <summary>What the caller notes of the turn; null when there is nothing.</summary>
    [Id(8)] public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>
    /// Where a conversation in the caller's own process writes events, instead of sending each in a message. It does not travel: in
    /// another process it is null.
    /// </summary>
    [field: NonSerialized] public ChannelWriter<TurnEvent>? Local { get; init; }
}

/// <summary>A place in an answer: as much of it as was delivered in whole events.</summary>
/// <param name="Bytes">UTF-8 bytes of its text.</param>
/// <param name="Tokens">Tokens that were counted for it.</param>
/// <param name="Epoch">The latest epoch under which any of it was delivered.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerOffset")]
public sealed record AnswerOffset([property: Id(0)] long Bytes, [property: Id(1)] int Tokens, [property: Id(2)] long Epoch = 0)
{
    public static readonly AnswerOffset Start = new(0, 0);

    /// <summary>XXH64 of that text in UTF-8; 0 when it is not known.</summary>
    [Id(3)] public ulong Digest { get; init; }

    /// <summary>The place after more of the answer.</summary>
    public AnswerOffset After(AnswerDelta delta) =>
        new(Bytes + System.Text.Encoding.UTF8.GetByteCount(delta.Text), Tokens + delta.Tokens, Math.Max(Epoch, delta.Epoch)) { Digest = delta.Digest };
}

/// <summary>A piece of a turn. One of the three is set.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnEvent")]
public sealed record TurnEvent
{
    [Id(0)] public TurnStarted? Started { get; init; }

    [Id(1)] public AnswerDelta? Delta { get; init; }

    [Id(2)] public Turn? Completed { get; init; }

    /// <summary>With <see cref="Completed"/>: the store was away, so the turn is in memory only until it is back.</summary>
    [Id(3)] public bool IsUnsaved { get; init; }
}

/// <summary>A node answers. Comes again when another takes over.</summary>
[GenerateSerializer, Immutable, Alias("herd.TurnStarted")]
public sealed record TurnStarted(
    [property: Id(0)] string TurnId, [property: Id(1)] string Model, [property: Id(2)] string Node);

/// <summary>More of the answer.</summary>
/// <param name="Text">Whole characters.</param>
/// <param name="Tokens">Tokens that were produced for it.</param>
/// <param name="Epoch">The conversation's epoch under which it was delivered.</param>
[GenerateSerializer, Immutable, Alias("herd.AnswerDelta")]
public sealed record AnswerDelta([property: Id(0)] string Text, [property: Id(1)] int Tokens, [property: Id(2)] long Epoch = 0)
{
    /// <summary>One for each token; null when they were not asked for, or are not known any more.</summary>
    [Id(3)] public IReadOnlyList<TokenLogProbs>? LogProbs { get; init; }

    /// <summary>XXH64 of the answer's text so far, in UTF-8; 0 when it is not known.</summary>
    [Id(4)] public ulong Digest { get; init; }
}
