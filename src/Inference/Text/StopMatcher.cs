namespace Herd.Inference.Text;

/// <summary>Finds stop sequences in streamed text, and holds back text that may be the start of one.</summary>
internal sealed class StopMatcher(IReadOnlyList<string> stops)
{
    private string _withheld = "";

    /// <summary>True if a stop sequence was found. No text is released after it.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Appends the next piece of text.</summary>
    /// <returns>The text that belongs to no stop sequence.</returns>
    public string Append(string piece)
    {
        if (Stopped)
        {
            return "";
        }

        var text = _withheld + piece;
        var cut = FirstStop(text);
        if (cut >= 0)
        {
            Stopped = true;
            _withheld = "";
            return text[..cut];
        }

        var length = LongestBeginning(text);
        _withheld = text[^length..];
        return text[..^length];
    }

    /// <summary>Returns the text that was held back, at the end of the text.</summary>
    public string Flush()
    {
        var text = _withheld;
        _withheld = "";
        return text;
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

    /// <summary>The length of the longest suffix of the text that is a prefix of a stop sequence.</summary>
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
