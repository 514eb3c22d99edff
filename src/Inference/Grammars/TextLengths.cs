using System.Runtime.InteropServices;

namespace Herd.Inference.Grammars;

/// <summary>The bounds of a string's length, in characters.</summary>
internal readonly record struct TextBounds(int Min, int Max) : IComparable<TextBounds>
{
    public static readonly TextBounds Any = new(0, int.MaxValue);

    public bool Contains(int count) => count >= Min && count <= Max;

    public int CompareTo(TextBounds other) => (Min, Max).CompareTo((other.Min, other.Max));
}

/// <summary>
/// The lengths that the values which a string is read for allow together: bounds in ascending order that do not touch.
/// </summary>
internal sealed class TextLengths : IEquatable<TextLengths>
{
    private readonly TextBounds[] _bounds;

    public TextLengths(IEnumerable<TextBounds> bounds)
    {
        var merged = new List<TextBounds>();
        foreach (var next in bounds.Order())
        {
            if (merged.Count > 0 && merged[^1] is var last && next.Min - 1 <= last.Max)
            {
                merged[^1] = last with { Max = Math.Max(last.Max, next.Max) };
            }
            else
            {
                merged.Add(next);
            }
        }

        _bounds = [.. merged];
        Breaks = BreaksOf(_bounds);
    }

    /// <summary>The maximum length.</summary>
    public int Max => _bounds[^1].Max;

    /// <summary>The lengths at which others are allowed, ascending.</summary>
    public int[] Breaks { get; }

    /// <summary>The lengths, above 0, at which a string comes into or out of one of some bounds, ascending.</summary>
    public static int[] BreaksOf(IEnumerable<TextBounds> bounds) =>
    [
        .. bounds.SelectMany(one => new[] { one.Min, one.Max == int.MaxValue ? 0 : one.Max + 1 })
            .Where(at => at > 0).Distinct().Order(),
    ];

    public bool Contains(int count) => Array.Exists(_bounds, one => one.Contains(count));

    public bool Equals(TextLengths? other) => other is not null && _bounds.AsSpan().SequenceEqual(other._bounds);

    public override bool Equals(object? obj) => Equals(obj as TextLengths);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(MemoryMarshal.AsBytes(_bounds.AsSpan()));
        return hash.ToHashCode();
    }
}
