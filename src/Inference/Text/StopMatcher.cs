namespace Herd.Inference.Text;

/// <summary>Finds stop sequences in a text that arrives in pieces, and holds back what may yet become one.</summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>Whether a stop sequence has been seen; nothing is released from then on.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes the next piece.</summary>
    /// <returns>The text that is now known to lie before any stop sequence.</returns>
    public string Append(string piece)
    {
        if (Stopped)
        {
            return "";
        }

        var text = _held + piece;
        var cut = FirstStop(text);
        if (cut >= 0)
        {
            Stopped = true;
            _held = "";
            return text[..cut];
        }

        var held = LongestBeginning(text);
        _held = text[^held..];
        return text[..^held];
    }

    /// <summary>Releases what was held back: no more text comes.</summary>
    public string Flush()
    {
        var held = _held;
        _held = "";
        return held;
    }

    private int FirstStop(string text)
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first))
            {
                first = at;
            }
        }

        return first;
    }

    /// <summary>The length of the longest end of the text that a stop sequence begins with.</summary>
    private int LongestBeginning(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
