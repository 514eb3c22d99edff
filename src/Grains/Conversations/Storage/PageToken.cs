using System.Globalization;

namespace Herd.Grains.Conversations.Storage;

/// <summary>The end of a page of a list by descending score.</summary>
/// <param name="Score">The last score on the page.</param>
/// <param name="Seen">The number of entries with that score so far.</param>
internal sealed record PageToken(double Score, int Seen)
{
    public static PageToken After(PageToken? before, double score) =>
        before is not null && before.Score == score ? before with { Seen = before.Seen + 1 } : new PageToken(score, 1);

    /// <exception cref="FormatException">The text is not a page token.</exception>
    public static PageToken Parse(string token)
    {
        var parts = token.Split('.');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var score)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            ? new PageToken(score, seen)
            : throw new FormatException($"'{token}' is not a page token.");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(long)Score}.{Seen}");
}
