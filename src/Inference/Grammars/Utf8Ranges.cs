using System.Text;

namespace Herd.Inference.Grammars;

/// <summary>
/// Divides ranges of characters into sequences of byte ranges of their UTF-8 (Thompson's construction for UTF-8, as
/// Cox describes it in "Regular Expression Matching in the Wild", 2010).
/// </summary>
internal static class Utf8Ranges
{
    private const int FirstSurrogate = 0xD800;
    private const int LastSurrogate = 0xDFFF;

    /// <summary>All characters that are not ASCII.</summary>
    public static IReadOnlyList<ByteSet[]> NotAscii { get; } = Divide(0x80, 0x10FFFF);

    /// <summary>The sequences of the characters of a range, without surrogates, which are none.</summary>
    public static IReadOnlyList<ByteSet[]> Divide(int from, int to)
    {
        var sequences = new List<ByteSet[]>();
        Add(from, Math.Min(to, FirstSurrogate - 1), sequences);
        Add(Math.Max(from, LastSurrogate + 1), to, sequences);
        return sequences;
    }

    private static void Add(int from, int to, List<ByteSet[]> sequences)
    {
        if (from > to)
        {
            return;
        }

        // Characters of different lengths have sequences of their own.
        foreach (var last in new[] { 0x7F, 0x7FF, 0xFFFF })
        {
            if (from <= last && last < to)
            {
                Add(from, last, sequences);
                Add(last + 1, to, sequences);
                return;
            }
        }

        // So have those whose last bytes do not run from 80 to BF.
        for (var bits = 6; bits <= 18; bits += 6)
        {
            var tail = (1 << bits) - 1;
            if (from <= 0x7F || (from & ~tail) == (to & ~tail))
            {
                continue;
            }

            var cut = (from & tail) != 0 ? from | tail : (to & tail) != tail ? (to & ~tail) - 1 : -1;
            if (cut >= 0)
            {
                Add(from, cut, sequences);
                Add(cut + 1, to, sequences);
                return;
            }
        }

        Span<byte> first = stackalloc byte[4], second = stackalloc byte[4];
        var length = new Rune(from).EncodeToUtf8(first);
        new Rune(to).EncodeToUtf8(second);
        var sequence = new ByteSet[length];
        for (var i = 0; i < length; i++)
        {
            sequence[i] = ByteSet.Range(first[i], second[i]);
        }

        sequences.Add(sequence);
    }
}
