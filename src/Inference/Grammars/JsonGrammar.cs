namespace Herd.Inference.Grammars;

/// <summary>The grammar parts of JSON (RFC 8259).</summary>
internal sealed class JsonGrammar
{
    private readonly GrammarBuilder _builder;
    private readonly int _value;
    private readonly Part _character;

    public JsonGrammar(GrammarBuilder builder)
    {
        _builder = builder;

        // Limits white space, because a model may otherwise indent without end.
        var indent = GrammarBuilder.Sequence(
            builder.Literal("\n"), builder.Repeat(builder.Bytes(ByteSet.Create(" \t"u8)), 0, 20));
        Space = Rule(builder.Choice(builder.Literal(" "), indent, GrammarBuilder.Nothing));
        _character = Rule(Character());
        Text = Rule(TextOf(0, null));
        var sign = builder.Optional(builder.Literal("-"));
        var whole = builder.Choice(
            builder.Literal("0"),
            GrammarBuilder.Sequence(
                builder.Bytes(ByteSet.Range((byte)'1', (byte)'9')), builder.Repeat(Digit, 0, 15)));
        Integer = Rule(GrammarBuilder.Sequence(sign, whole));
        Number = Rule(GrammarBuilder.Sequence(
            sign,
            whole,
            builder.Optional(GrammarBuilder.Sequence(builder.Literal("."), builder.Repeat(Digit, 1, 16))),
            builder.Optional(GrammarBuilder.Sequence(
                builder.Bytes(ByteSet.Create("eE"u8)),
                builder.Optional(builder.Bytes(ByteSet.Create("+-"u8))),
                builder.Repeat(Digit, 1, 3)))));
        Boolean = builder.Choice(builder.Literal("true"), builder.Literal("false"));
        Null = builder.Literal("null");
        _value = builder.Declare();
        Object = Rule(Members(Pair(Text, Value)));
        Array = Rule(Items(Value, 0, null));
        builder.Define(_value, builder.Choice(Object, Array, Text, Number, Boolean, Null));
    }

    public Part Space { get; }

    public Part Text { get; }

    public Part Integer { get; }

    public Part Number { get; }

    public Part Boolean { get; }

    public Part Null { get; }

    public Part Object { get; }

    public Part Array { get; }

    public Part Value => _builder.Call(_value);

    private Part Digit => _builder.Bytes(ByteSet.Range((byte)'0', (byte)'9'));

    public Part TextOf(int min, int? max) => GrammarBuilder.Sequence(
        _builder.Literal("\""), _builder.Repeat(_character, min, max), _builder.Literal("\""));

    public Part Pair(Part name, Part value) => GrammarBuilder.Sequence(name, _builder.Literal(":"), Space, value);

    /// <summary>An object: any number of pairs in braces.</summary>
    public Part Members(Part pair) => Enclosed("{", List(pair, 0, null), "}");

    /// <summary>An array: items in brackets.</summary>
    public Part Items(Part item, int min, int? max) => Enclosed("[", List(item, min, max), "]");

    public Part Enclosed(string open, Part inner, string close) =>
        GrammarBuilder.Sequence(_builder.Literal(open), Space, inner, Space, _builder.Literal(close));

    public Part Comma => GrammarBuilder.Sequence(_builder.Literal(","), Space);

    private Part List(Part item, int min, int? max)
    {
        if (max == 0)
        {
            return GrammarBuilder.Nothing;
        }

        var more = _builder.Repeat(GrammarBuilder.Sequence(Comma, item), Math.Max(0, min - 1), max - 1);
        var list = GrammarBuilder.Sequence(item, more);
        return min == 0 ? _builder.Optional(list) : list;
    }

    /// <summary>Makes a rule of a part, so that its states exist once, however often it is used.</summary>
    private Part Rule(Part part)
    {
        var rule = _builder.Declare();
        _builder.Define(rule, part);
        return _builder.Call(rule);
    }

    /// <summary>A character of a JSON string: well-formed UTF-8 (RFC 3629), or an escape.</summary>
    private Part Character()
    {
        Part Range(byte first, byte last) => _builder.Bytes(ByteSet.Range(first, last));
        var tail = Range(0x80, 0xBF);
        var hex = _builder.Bytes(
            ByteSet.Range((byte)'0', (byte)'9') | ByteSet.Range((byte)'a', (byte)'f')
                | ByteSet.Range((byte)'A', (byte)'F'));
        return _builder.Choice(
            _builder.Bytes(
                ByteSet.Range(0x20, 0x21) | ByteSet.Range(0x23, 0x5B) | ByteSet.Range(0x5D, 0x7F)),
            GrammarBuilder.Sequence(
                _builder.Literal("\\"),
                _builder.Choice(
                    _builder.Bytes(ByteSet.Create("\"\\/bfnrt"u8)),
                    GrammarBuilder.Sequence(_builder.Literal("u"), hex, hex, hex, hex))),
            GrammarBuilder.Sequence(Range(0xC2, 0xDF), tail),
            GrammarBuilder.Sequence(Range(0xE0, 0xE0), Range(0xA0, 0xBF), tail),
            GrammarBuilder.Sequence(Range(0xE1, 0xEC), tail, tail),
            GrammarBuilder.Sequence(Range(0xED, 0xED), Range(0x80, 0x9F), tail),
            GrammarBuilder.Sequence(Range(0xEE, 0xEF), tail, tail),
            GrammarBuilder.Sequence(Range(0xF0, 0xF0), Range(0x90, 0xBF), tail, tail),
            GrammarBuilder.Sequence(Range(0xF1, 0xF3), tail, tail, tail),
            GrammarBuilder.Sequence(Range(0xF4, 0xF4), Range(0x80, 0x8F), tail, tail));
    }
}
