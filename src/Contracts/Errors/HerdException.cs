namespace Herd.Contracts.Errors;

/// <summary>What went wrong, so that every interface can say it in its own way. The numbers are a contract.</summary>
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

    /// <summary>Somebody else owns the conversation now; the same call again finds the new owner.</summary>
    Conflict = 11,

    /// <summary>Nothing can be made durable at present.</summary>
    StoreUnavailable = 12,

    /// <summary>The caller is known and may not do this.</summary>
    Forbidden = 13,

    /// <summary>What the caller has of an answer is had by nobody else any more, so it cannot be gone on with.</summary>
    AnswerLost = 14,

    ResponseNotFound = 15,

    /// <summary>The turn was to follow one that is no longer the conversation's last.</summary>
    Superseded = 16,

    /// <summary>The caller has used what it may use for now.</summary>
    QuotaExceeded = 17,

    /// <summary>The caller left so much of its answer unread that the turn was ended.</summary>
    ReadTooSlowly = 18,
}

/// <summary>An error that the caller is told: what was wrong, where, and what to do. Holds no content of conversations.</summary>
[GenerateSerializer, Alias("herd.Error")]
public sealed class HerdException(HerdError error, string message, string? parameter = null) : Exception(message)
{
    [Id(0)]
    public HerdError Error { get; private set; } = error;

    /// <summary>The field to blame, by the name the caller knows; null when none is.</summary>
    [Id(1)]
    public string? Parameter { get; private set; } = parameter;

    /// <summary>The state that explains the error, such as "context_tokens".</summary>
    [Id(2)]
    public Dictionary<string, string> Details { get; private set; } = [];

    private const string RetryAfterDetail = "retry_after_ms";

    /// <summary>When the same may be asked for again with hope; null when that is not known.</summary>
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
