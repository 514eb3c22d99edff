namespace Herd.Inference.Grammars;

/// <summary>An immutable set of byte values.</summary>
internal readonly record struct ByteSet(ulong A, ulong B, ulong C, ulong D)
{
    public static ByteSet Range(byte first, byte last)
    {
        Span<ulong> words = stackalloc ulong[4];
        for (int value = first; value <= last; value++)
        {
            words[value >> 6] |= 1UL << (value & 63);
        }

        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    public static ByteSet One(byte value) => Range(value, value);

    public static ByteSet Create(ReadOnlySpan<byte> bytes)
    {
        var set = default(ByteSet);
        foreach (var value in bytes)
        {
            set |= One(value);
        }

        return set;
    }

    public bool IsEmpty => (A | B | C | D) == 0;

    public bool Contains(byte value) =>
        ((value >> 6) switch { 0 => A, 1 => B, 2 => C, _ => D } >> (value & 63) & 1) != 0;

    public static ByteSet operator |(ByteSet one, ByteSet other) =>
        new(one.A | other.A, one.B | other.B, one.C | other.C, one.D | other.D);

    public static ByteSet operator &(ByteSet one, ByteSet other) =>
        new(one.A & other.A, one.B & other.B, one.C & other.C, one.D & other.D);

    /// <summary>The bytes of the first set that are not in the second.</summary>
    public static ByteSet operator -(ByteSet one, ByteSet other) =>
        new(one.A & ~other.A, one.B & ~other.B, one.C & ~other.C, one.D & ~other.D);
}
