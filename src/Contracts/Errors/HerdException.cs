namespace Herd.Contracts.Errors;

/// <summary>The kind of an error. Each interface maps it to its own form. The numbers are a contract.</summary>
public enum HerdError
{
    Internal = 0,
    InvalidArgument = 1,
    ModelNotFound = 2,
    ConversationNotFound = 3,
    ContextOverflow = 4,
    Overloaded = 5,
    Unavailable = 6,
    TurnInProgress = 7,
    Unauthenticated = 8,
    Fenced = 9,
    TooLarge = 10,

    /// <summary>Another gateway owns the conversation now. The same call again finds the new owner.</summary>
    Conflict = 11,

    /// <summary>The store does not respond, so nothing can be stored.</summary>
    StoreUnavailable = 12,

    /// <summary>The caller is authenticated but may not do this.</summary>
    Forbidden = 13,

    /// <summary>
    /// The part of the answer that the caller already received was lost with its node and cannot be continued.
    /// </summary>
    AnswerLost = 14,

    ResponseNotFound = 15,

    /// <summary>The turn names a turn to follow that is not the conversation's last one.</summary>
    Superseded = 16,

    /// <summary>The caller has used up its quota.</summary>
    QuotaExceeded = 17,

    /// <summary>The caller read too slowly; the turn ended early.</summary>
    ReadTooSlowly = 18,

    /// <summary>The nodes that computed the turn failed. Its content is refused for a while.</summary>
    PoisonTurn = 19,
}

/// <summary>
/// An error for the caller: what was wrong, where, and what to do. Contains no content of conversations.
/// </summary>
[GenerateSerializer, Alias("herd.Error")]
public sealed class HerdException(HerdError error, string message, string? parameter = null) : Exception(message)
{
    [Id(0)]
    public HerdError Error { get; private set; } = error;

    /// <summary>The field at fault, by its public name; null if none is.</summary>
    [Id(1)]
    public string? Parameter { get; private set; } = parameter;

    /// <summary>The state that explains the error, such as "context_tokens".</summary>
    [Id(2)]
    public Dictionary<string, string> Details { get; private set; } = [];

    private const string RetryAfterDetail = "retry_after_ms";

    /// <summary>The time after which a retry may succeed; null if unknown.</summary>
    public TimeSpan? Retry => Details.TryGetValue(RetryAfterDetail, out var text)
        ? TimeSpan.FromMilliseconds(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))
        : null;

    public HerdException RetryAfter(TimeSpan? wait) =>
        wait is { } known ? With(RetryAfterDetail, Math.Ceiling(known.TotalMilliseconds)) : this;

    public HerdException With(string name, object value)
    {
        Details[name] = FormattableString.Invariant($"{value}");
        return this;
    }
}
