namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// The turns of a long conversation that the prompt contains. The window moves in jumps of half its size. It depends on
/// the turns so far only, and between two jumps the prompt only grows, so its KV cache can be used.
/// </summary>
internal static class ContextWindow
{
    /// <summary>The first turn of the prompt. The last turn is always part of it.</summary>
    /// <param name="lengths">The number of tokens of each turn.</param>
    /// <param name="limit">The maximum number of tokens.</param>
    public static int FirstTurn(IReadOnlyList<int> lengths, int limit)
    {
        var first = 0;
        var shown = 0;
        for (var turn = 0; turn < lengths.Count; turn++)
        {
            shown += lengths[turn];
            if (shown <= limit)
            {
                continue;
            }

            while (shown > limit / 2 && first < turn)
            {
                shown -= lengths[first++];
            }
        }

        return first;
    }
}
