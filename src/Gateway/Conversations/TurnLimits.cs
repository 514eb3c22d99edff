using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Conversations;

/// <summary>The limits of a requested turn: its id, its resume point and its messages. For all interfaces.</summary>
internal static class TurnLimits
{
    private const int MaxMessages = 4096;

    private const int MaxTurnId = 64;

    /// <exception cref="HerdException">There are no messages, or too many.</exception>
    public static void CheckCount(int messages, string name = "messages") => Require(
        messages is >= 1 and <= MaxMessages,
        $"'{name}' must hold 1 to {MaxMessages} messages; found {messages}.",
        name);

    /// <param name="messages">The messages of the request.</param>
    /// <param name="parameter">The field that the error names.</param>
    /// <exception cref="HerdException">The last message is an answer.</exception>
    public static void CheckLast(IReadOnlyList<Message> messages, string parameter) => Require(
        messages[^1].Role != Role.Assistant,
        "The last message is the assistant's. End with a message to answer.",
        parameter);

    /// <exception cref="HerdException">The id is invalid.</exception>
    public static void CheckTurnId(string id) => Require(
        id.Length is >= 1 and <= MaxTurnId && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'),
        $"'turn_id' must have 1 to {MaxTurnId} ASCII letters, digits, '-' and '_'; found {id.Length} characters.",
        "turn_id");

    /// <exception cref="HerdException">The offset is invalid, or the turn's id is missing.</exception>
    public static void CheckOffset(AnswerOffset offset, bool hasTurnId)
    {
        Check("resume.bytes", offset.Bytes);
        Check("resume.tokens", offset.Tokens);
        Check("resume.epoch", offset.Epoch);
        Require(
            hasTurnId || offset == AnswerOffset.Start,
            "'resume' needs the id of the turn to resume. Send it as 'turn_id'.",
            "resume");

        static void Check(string name, long value) =>
            Require(value >= 0, $"'{name}' must be 0 or more; found {value}.", name);
    }
}
