namespace Herd.Grains.Nodes;

/// <summary>
/// Which turns of a long conversation the model is shown. The window moves in leaps of half its size: it depends on the turns so
/// far and nothing else, and between leaps the prompt only grows, so its KV cache stays of use.
/// </summary>
internal static class ContextWindow
{
    /// <summary>The first turn that is shown; the last one always is.</summary>
    /// <param name="lengths">Tokens of each turn.</param>
    /// <param name="limit">Tokens that fit.</param>
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
