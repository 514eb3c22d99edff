using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>
/// The id of a response. A response is a turn of a durable conversation; the id has the random parts of both ids, so it
/// is not stored.
/// </summary>
/// <param name="Conversation">The conversation's id.</param>
/// <param name="Turn">The turn's id.</param>
internal readonly record struct ResponseId(string Conversation, string Turn)
{
    private const string Prefix = "resp_";
    private const string ConversationPrefix = "conv_";
    private const string TurnPrefix = "turn_";
    private const int PartLength = 32;

    /// <exception cref="HerdException">
    /// The text is not an id. The error is the same as for an unknown response.
    /// </exception>
    public static ResponseId Parse(string text, string parameter) =>
        HasForm(text, Prefix, 2 * PartLength)
            ? new ResponseId(ConversationPrefix + text[Prefix.Length..^PartLength], TurnPrefix + text[^PartLength..])
            : throw NotFound(text, parameter);

    public static HerdException NotFound(string text, string parameter) =>
        new(HerdError.ResponseNotFound, $"There is no response '{text}'. Check the id, or create one.", parameter);

    /// <summary>The id of the response's message.</summary>
    public string Message => "msg_" + Turn[TurnPrefix.Length..];

    /// <summary>True if Herd made this id of a conversation. Only such conversations have responses.</summary>
    public static bool IsConversation(string id) => HasForm(id, ConversationPrefix, PartLength);

    /// <summary>True if Herd made this id of a turn. Clients of gRPC may choose others.</summary>
    public static bool IsTurn(string id) => HasForm(id, TurnPrefix, PartLength);

    public override string ToString() => Prefix + Conversation[ConversationPrefix.Length..] + Turn[TurnPrefix.Length..];

    private static bool HasForm(string id, string prefix, int random) =>
        id.Length == prefix.Length + random
        && id.StartsWith(prefix, StringComparison.Ordinal)
        && id.Skip(prefix.Length).All(char.IsAsciiHexDigitLower);
}
