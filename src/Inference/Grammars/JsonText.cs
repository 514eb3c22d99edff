using System.Text;

namespace Herd.Inference.Grammars;

/// <summary>
/// The grammar parts of JSON strings (RFC 8259, section 7) of well-formed Unicode. A level's count is the number of
/// characters (code points), as in <c>minLength</c>. The quotes belong to the parts.
/// </summary>
internal sealed class JsonText(GrammarBuilder builder)
{
    private const string ShortEscapes = "\"\\bfnrt";
    private const string Escaped = "\"\\\b\f\n\r\t";

    /// <summary>The ASCII characters that stand for themselves.</summary>
    private static readonly ByteSet Plain =
        ByteSet.Range(0x20, 0x7F) - ByteSet.Create("\"\\"u8);

    private static readonly ByteSet Quote = ByteSet.One((byte)'"');

    /// <summary>A text of a length that its value allows.</summary>
    public Part Bounded() => GrammarBuilder.Sequence(
        builder.Bytes(Quote),
        builder.Repeat(Character()),
        builder.Bytes(Quote, Counting.BoundedClose));

    /// <summary>One of some texts, escaped only where JSON demands it.</summary>
    public Part OneOf(IEnumerable<string> texts) => next =>
    {
        var close = builder.Take(Quote, next);
        return builder.Take(
            Quote, new RuneTree(texts).Build(builder, Written, (_, isEnd) => isEnd ? close : -1));
    };

    /// <summary>
    /// Any text but some, escaped only where JSON demands it, so that there is one way to write a text.
    /// </summary>
    public Part AnyBut(IReadOnlyCollection<string> texts) => next =>
    {
        var close = builder.Take(Quote, next);
        var free = builder.Repeat(PlainlyWritten())(close);
        var escapes = Escapes([])(free);
        var notAscii = Sequences(Utf8Ranges.NotAscii)(free);
        int Others(IReadOnlyList<Rune> taken, bool isEnd)
        {
            var plain = taken.Where(rune => rune.IsAscii).Aggregate(
                Plain, (set, rune) => set - ByteSet.One((byte)rune.Value));
            var entry = builder.Take(plain, free, Counting.One);
            entry = builder.Split(entry, taken.Any(IsEscaped) ? Escapes(taken)(free) : escapes);
            entry = builder.Split(
                entry, taken.All(rune => rune.IsAscii) ? notAscii : Sequences(NotAsciiBut(taken))(free));
            return isEnd ? entry : builder.Split(close, entry);
        }

        return builder.Take(Quote, new RuneTree(texts).Build(builder, Written, Others));
    };

    /// <summary>A character of a bounded text, in any way to write it.</summary>
    private Part Character()
    {
        Part Set(string characters) =>
            builder.Bytes(ByteSet.Create(Encoding.ASCII.GetBytes(characters)), Counting.InCharacter);
        var hex = Set("0123456789abcdefABCDEF");
        return builder.Choice(
            builder.Bytes(Plain, Counting.FirstOfCharacter),
            GrammarBuilder.Sequence(
                builder.Bytes(ByteSet.One((byte)'\\'), Counting.FirstOfCharacter),
                builder.Choice(
                    Set(ShortEscapes + "/"),
                    GrammarBuilder.Sequence(
                        Set("u"),
                        builder.Choice(
                            GrammarBuilder.Sequence(Set("0123456789abcefABCEF"), hex, hex, hex),
                            GrammarBuilder.Sequence(Set("dD"), Set("01234567"), hex, hex),

                            // A character beyond FFFF is a pair of surrogates; neither stands alone.
                            GrammarBuilder.Sequence(
                                Set("dD"), Set("89abAB"), hex, hex, Set("\\"), Set("u"), Set("dD"), Set("cdefCDEF"),
                                hex, hex))))),
            Sequences(Utf8Ranges.NotAscii, Counting.FirstOfCharacter, Counting.InCharacter));
    }

    /// <summary>A character, escaped only where JSON demands it.</summary>
    private Part PlainlyWritten() => builder.Choice(
        builder.Bytes(Plain, Counting.One), Escapes([]), Sequences(Utf8Ranges.NotAscii));

    /// <summary>The characters that must be escaped, but some.</summary>
    private Part Escapes(IReadOnlyList<Rune> but)
    {
        var (letters, low, high) = (default(ByteSet), default(ByteSet), default(ByteSet));
        for (var value = 0; value < 0x80; value++)
        {
            if (!IsEscaped(new Rune(value)) || but.Contains(new Rune(value)))
            {
                continue;
            }

            var last = ByteSet.One(Written(new Rune(value))[^1]);
            (letters, low, high) = Escaped.Contains((char)value, StringComparison.Ordinal) ? (letters | last, low, high)
                : value < 0x10 ? (letters, low | last, high)
                : (letters, low, high | last);
        }

        return GrammarBuilder.Sequence(
            builder.Bytes(ByteSet.One((byte)'\\'), Counting.One),
            builder.Choice(
                builder.Bytes(letters),
                GrammarBuilder.Sequence(
                    builder.Literal("u00"),
                    builder.Choice(
                        GrammarBuilder.Sequence(builder.Literal("0"), builder.Bytes(low)),
                        GrammarBuilder.Sequence(builder.Literal("1"), builder.Bytes(high))))));
    }

    private Part Sequences(IReadOnlyList<ByteSet[]> sequences) => Sequences(sequences, Counting.One, null);

    private Part Sequences(IReadOnlyList<ByteSet[]> sequences, Counting first, Counting? inside) => builder.Choice(
        [.. sequences.Select(sequence => GrammarBuilder.Sequence(
            [.. sequence.Select((set, i) => builder.Bytes(set, i == 0 ? first : inside))]))]);

    private static List<ByteSet[]> NotAsciiBut(IReadOnlyList<Rune> runes)
    {
        var sequences = new List<ByteSet[]>();
        var from = 0x80;
        foreach (var rune in runes.Where(rune => !rune.IsAscii).Order())
        {
            sequences.AddRange(Utf8Ranges.Divide(from, rune.Value - 1));
            from = rune.Value + 1;
        }

        return [.. sequences, .. Utf8Ranges.Divide(from, 0x10FFFF)];
    }

    private static bool IsEscaped(Rune rune) => rune.Value is < 0x20 or '"' or '\\';

    /// <summary>A character's bytes in a string, escaped only where JSON demands it.</summary>
    private static byte[] Written(Rune rune)
    {
        var at = rune.Value < 0x80 ? Escaped.IndexOf((char)rune.Value, StringComparison.Ordinal) : -1;
        return Encoding.UTF8.GetBytes(
            at >= 0 ? $"\\{ShortEscapes[at]}"
            : rune.Value < 0x20 ? $"\\u{rune.Value:x4}"
            : rune.ToString());
    }
}
