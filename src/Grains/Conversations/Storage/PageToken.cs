using System.Globalization;

namespace Herd.Grains.Conversations.Storage;

/// <summary>Where a page of a list by descending score ended.</summary>
/// <param name="Score">The last score on it.</param>
/// <param name="Seen">How many entries with that score have been seen.</param>
internal sealed record PageToken(double Score, int Seen)
{
    public static PageToken After(PageToken? before, double score) =>
        before is not null && before.Score == score ? before with { Seen = before.Seen + 1 } : new PageToken(score, 1);

    /// <exception cref="FormatException">It is no page token.</exception>
    public static PageToken Parse(string token)
    {
        var parts = token.Split('.');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var score)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seen)
            ? new PageToken(score, seen)
            : throw new FormatException($"'{token}' is no page token.");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(long)Score}.{Seen}");
}
