using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations.Turns;

/// <summary>The messages of turns.</summary>
internal static class History
{
    /// <summary>The messages of the prompt for the last turn. Turns without an answer are omitted.</summary>
    public static IReadOnlyList<HistoryMessage> Prompt(string? system, IReadOnlyList<Turn> turns, string model) =>
    [
        .. system is null ? [] : new[] { new HistoryMessage(Role.System, system, null) },
        .. turns.SkipLast(1).Where(IsAnswered).SelectMany(turn => Input(turn).Append(Answer(turn, model))),
        .. Input(turns[^1]),
    ];

    /// <summary>
    /// Counts the turns that agree with a history sent by the caller. The rest of the history is new.
    /// </summary>
    /// <param name="turns">The turns as they are stored.</param>
    /// <param name="history">All messages that the caller sent.</param>
    /// <returns>The turns that stay, and the messages they cover.</returns>
    public static (int Turns, int Messages) Agreement(IReadOnlyList<Turn> turns, IReadOnlyList<Message> history)
    {
        var messages = 0;
        for (var i = 0; i < turns.Count; i++)
        {
            Message[] messagesOfTurn = [.. turns[i].Input, new Message(Role.Assistant, turns[i].Answer.Text)];

            // At least one new message must remain.
            if (!IsAnswered(turns[i]) || messages + messagesOfTurn.Length >= history.Count
                || !history.Skip(messages).Take(messagesOfTurn.Length).SequenceEqual(messagesOfTurn))
            {
                return (i, messages);
            }

            messages += messagesOfTurn.Length;
        }

        return (turns.Count, messages);
    }

    private static bool IsAnswered(Turn turn) => !turn.Answer.IsEmpty;

    private static IEnumerable<HistoryMessage> Input(Turn turn) =>
        turn.Input.Select(message => new HistoryMessage(message.Role, message.Text, null));

    private static HistoryMessage Answer(Turn turn, string model) => new(
        Role.Assistant, turn.Answer.Text, turn.Answer.TokensFit && turn.Model == model ? turn.Answer.Tokens : null);
}
