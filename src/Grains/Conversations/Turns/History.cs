using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Conversations.Turns;

/// <summary>The messages that turns amount to.</summary>
internal static class History
{
    /// <summary>What the model is shown to answer the last turn. Turns without an answer are left out.</summary>
    public static IReadOnlyList<HistoryMessage> Prompt(string? system, IReadOnlyList<Turn> turns, string model) =>
    [
        .. system is null ? [] : new[] { new HistoryMessage(Role.System, system, null) },
        .. turns.SkipLast(1).Where(IsAnswered).SelectMany(turn => Input(turn).Append(Answer(turn, model))),
        .. Input(turns[^1]),
    ];

    /// <summary>How many turns agree with a history the caller sent, so that the rest of it is what is new.</summary>
    /// <param name="turns">The turns as they are stored.</param>
    /// <param name="history">Every message the caller sent.</param>
    /// <returns>The turns that stay, and the messages they cover.</returns>
    public static (int Turns, int Messages) Agreement(IReadOnlyList<Turn> turns, IReadOnlyList<Message> history)
    {
        var messages = 0;
        for (var i = 0; i < turns.Count; i++)
        {
            Message[] said = [.. turns[i].Input, new Message(Role.Assistant, turns[i].Answer.Text)];

            // Something new must be left to answer.
            if (!IsAnswered(turns[i]) || messages + said.Length >= history.Count
                || !history.Skip(messages).Take(said.Length).SequenceEqual(said))
            {
                return (i, messages);
            }

            messages += said.Length;
        }

        return (turns.Count, messages);
    }

    private static bool IsAnswered(Turn turn) => !turn.Answer.IsEmpty;

    private static IEnumerable<HistoryMessage> Input(Turn turn) =>
        turn.Input.Select(message => new HistoryMessage(message.Role, message.Text, null));

    private static HistoryMessage Answer(Turn turn, string model) => new(
        Role.Assistant, turn.Answer.Text, turn.Answer.TokensFit && turn.Model == model ? turn.Answer.Tokens : null);
}
