using Herd.Contracts.Errors;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>
/// A response is a turn of a durable conversation; its id holds the random parts of both ids, so nothing else need be stored.
/// </summary>
/// <param name="Conversation">The conversation's id.</param>
/// <param name="Turn">The turn's id.</param>
internal readonly record struct ResponseId(string Conversation, string Turn)
{
    private const string Prefix = "resp_";
    private const string ConversationPrefix = "conv_";
    private const string TurnPrefix = "turn_";
    private const int PartLength = 32;

    /// <exception cref="HerdException">It is no response's; what is said is the same as of one that is not there.</exception>
    public static ResponseId Parse(string text, string parameter) =>
        IsMade(text, Prefix, 2 * PartLength)
            ? new ResponseId(ConversationPrefix + text[Prefix.Length..^PartLength], TurnPrefix + text[^PartLength..])
            : throw NotFound(text, parameter);

    public static HerdException NotFound(string text, string parameter) =>
        new(HerdError.ResponseNotFound, $"There is no response '{text}'.", parameter);

    /// <summary>The id of the message that the response is.</summary>
    public string Message => "msg_" + Turn[TurnPrefix.Length..];

    /// <summary>Whether a conversation's id is one that Herd made; others can be no response's.</summary>
    public static bool IsConversation(string id) => IsMade(id, ConversationPrefix, PartLength);

    /// <summary>Whether a turn's id is one that Herd made.</summary>
    public static bool IsTurn(string id) => IsMade(id, TurnPrefix, PartLength);

    public override string ToString() => Prefix + Conversation[ConversationPrefix.Length..] + Turn[TurnPrefix.Length..];

    private static bool IsMade(string id, string prefix, int random) =>
        id.Length == prefix.Length + random
        && id.StartsWith(prefix, StringComparison.Ordinal)
        && id.Skip(prefix.Length).All(char.IsAsciiHexDigitLower);
}
