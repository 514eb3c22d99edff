using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Inference.Text;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>Leaves out the oldest turns of a history until its prompt fits.</summary>
internal static class ShiftedPrompt
{
    private const int MaxCountedLimits = 16;

    /// <summary>
    /// Renders the system messages and as many of the newest turns as fit; the last turn always stays.
    /// </summary>
    /// <param name="messages">The whole history.</param>
    /// <param name="limit">Tokens that the prompt may have.</param>
    /// <param name="count">The approximate number of tokens of a message, with those that the template adds.</param>
    /// <param name="render">
    /// The prompt of some of the messages. It is called once if the counts are right, and O(log n) times for n turns
    /// if they are too low.
    /// </param>
    public static int[] Render(
        IReadOnlyList<HistoryMessage> messages,
        int limit,
        Func<HistoryMessage, int> count,
        Func<IEnumerable<HistoryMessage>, int[]> render)
    {
        var system = messages.TakeWhile(message => message.Role == Role.System).ToList();
        var turns = Turns(messages.Skip(system.Count));
        return FirstThatFits(
            ContextWindow.FirstTurn(Lengths(turns, limit, count), limit - system.Sum(count)),
            turns.Count - 1,
            limit,
            first => render(system.Concat(turns.Skip(first).SelectMany(turn => turn))));
    }

    /// <summary>
    /// The tokens of each turn. Of a very long history only the newest messages are tokenised, so that the work is
    /// bounded by the limit.
    /// </summary>
    private static int[] Lengths(
        List<List<HistoryMessage>> turns, int limit, Func<HistoryMessage, int> count)
    {
        var lengths = new int[turns.Count];
        var counted = 0L;
        for (var i = turns.Count - 1; i >= 0; i--)
        {
            lengths[i] = turns[i].Sum(counted < (long)limit * MaxCountedLimits
                ? count
                : message => message.Text.Length / TokenEstimate.CharactersPerToken);
            counted += lengths[i];
        }

        return lengths;
    }

    /// <summary>
    /// The prompt that begins with the first turn from which it fits; the prompt of the last turn if none fits. A
    /// binary search finds it, because a prompt of fewer turns is shorter.
    /// </summary>
    private static int[] FirstThatFits(int first, int last, int limit, Func<int, int[]> render)
    {
        var prompt = render(first);
        if (prompt.Length <= limit || first >= last)
        {
            return prompt;
        }

        int[]? fits = null;
        while (last - first > 1)
        {
            var middle = first + ((last - first) / 2);
            prompt = render(middle);
            if (prompt.Length <= limit)
            {
                (last, fits) = (middle, prompt);
            }
            else
            {
                first = middle;
            }
        }

        return fits ?? render(last);
    }

    /// <summary>
    /// The turns of a history. A turn begins with the user's message after an answer; results of functions belong to
    /// the answer that called them.
    /// </summary>
    private static List<List<HistoryMessage>> Turns(IEnumerable<HistoryMessage> messages)
    {
        var turns = new List<List<HistoryMessage>>();
        foreach (var message in messages)
        {
            var continues = message.Role is Role.Assistant or Role.Tool;
            if (turns.Count == 0 || (!continues && turns[^1][^1].Role == Role.Assistant))
            {
                turns.Add([]);
            }

            turns[^1].Add(message);
        }

        return turns;
    }
}
