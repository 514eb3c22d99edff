using System.Globalization;

namespace Herd.Inference.Grammars;

/// <summary>The rules of JSON (RFC 8259). Rules that are alike exist once.</summary>
internal sealed class JsonGrammar
{
    private const int MaxIndent = 20;

    private readonly GrammarBuilder _builder;
    private readonly JsonText _text;
    private readonly int _space;
    private readonly Dictionary<string, int> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    public JsonGrammar(GrammarBuilder builder)
    {
        _builder = builder;
        _text = new JsonText(builder);

        // Limits white space, because a model may otherwise indent without end.
        var indent = builder.Bytes(ByteSet.Create(" \t"u8), new Counting(true, Max: MaxIndent - 1));
        _space = builder.Value(builder.Rule(builder.Choice(
            builder.Literal(" "), GrammarBuilder.Sequence(builder.Literal("\n"), builder.Repeat(indent)))));
        BoundedText = builder.Rule(_text.Bounded());
        AnyName = builder.Declare();
        builder.Define(AnyName, [BoundedText], [TextBounds.Any]);
        AnyValue = builder.Declare();
        AnyObject = builder.Value(ObjectRule([], AnyValue));
        builder.Define(
            AnyValue,
            [
                .. builder.Values[AnyObject], ArrayRule(AnyValue, 0, int.MaxValue), BoundedText,
                NumberRule(any: true, integers: false, []), WordRule(["true", "false", "null"]),
            ],
            [TextBounds.Any]);
    }

    /// <summary>White space, or none.</summary>
    public Part Space => SpaceAt(null);

    /// <summary>The value of any JSON.</summary>
    public int AnyValue { get; }

    /// <summary>The value of any object.</summary>
    public int AnyObject { get; }

    private int AnyName { get; }

    /// <summary>A string of a length that its value allows.</summary>
    public int BoundedText { get; }

    /// <summary>One of some strings.</summary>
    public int TextRule(IReadOnlyCollection<string> texts) => Once($"text {Join(texts)}", () => _text.OneOf(texts));

    /// <summary>A number: any, an integer, or one of some as they are written.</summary>
    public int NumberRule(bool any, bool integers, IReadOnlyCollection<string> numbers) =>
        Once($"number {any} {integers} {Join(numbers)}", () =>
        {
            var kinds = new List<Part>();
            if (any || integers)
            {
                kinds.Add(any ? Number() : Integer());
            }

            if (numbers.Count > 0 && !any)
            {
                kinds.Add(Words(numbers));
            }

            return _builder.Choice([.. kinds]);
        });

    /// <summary>One of true, false and null.</summary>
    public int WordRule(IReadOnlyCollection<string> words) => Once($"word {Join(words)}", () => Words(words));

    /// <summary>An array of so many items.</summary>
    public int ArrayRule(int item, int min, int max) => Once(
        string.Create(CultureInfo.InvariantCulture, $"array {item} {min} {max}"), () =>
        {
            // The level's count is the number of commas, one less than that of the items.
            var comma = new Counting(true, Max: max == int.MaxValue ? max : Math.Max(0, max - 2));
            var close = new Counting(false, Min: Math.Max(0, min - 1));
            var more = GrammarBuilder.Sequence(Byte(',', comma), Space, _builder.Call(item));
            var items = GrammarBuilder.Sequence(
                _builder.Call(item),
                max == 1 ? GrammarBuilder.Nothing : _builder.Repeat(more),
                SpaceAt(close),
                Byte(']', close));
            return GrammarBuilder.Sequence(
                Byte('['), Space, max == 0 ? Byte(']') : min > 0 ? items : _builder.Choice(items, Byte(']')));
        });

    /// <summary>An array of given items.</summary>
    public int TupleRule(IReadOnlyList<int> items) => Once($"tuple {string.Join(' ', items)}", () =>
        GrammarBuilder.Sequence([
            Byte('['), Space,
            .. items.SelectMany((item, i) => i == 0 ? [_builder.Call(item)] : new[] { Comma, _builder.Call(item) }),
            .. items.Count == 0 ? Array.Empty<Part>() : [Space], Byte(']'),
        ]));

    /// <summary>An object with given properties, in their order, and then others.</summary>
    /// <param name="properties">The properties: name, value, and whether it is required.</param>
    /// <param name="others">The value of other properties; null for none.</param>
    public int ObjectRule(IReadOnlyList<JsonProperty> properties, int? others)
    {
        var names = properties.Select(property => (Value: NameOf(property.Name), property)).ToList();
        var otherName = NameBut(others is null ? [] : [.. properties.Select(property => property.Name)]);
        var key = names.Select(one => $"{one.Value} {one.property.Value} {one.property.IsRequired}");
        return Once($"object {others} {string.Join(' ', key)}", () => next =>
            new JsonObjectPositions(_builder, this, next).Build(names, otherName, others));
    }

    public Part Byte(char value, Counting? taking = null) => _builder.Bytes(ByteSet.One((byte)value), taking);

    /// <summary>The value of a name.</summary>
    private int NameOf(string name)
    {
        if (!_names.TryGetValue(name, out var value))
        {
            value = _names[name] = _builder.Value(TextRule([name]));
        }

        return value;
    }

    /// <summary>The value of a name that is none of some.</summary>
    private int NameBut(IReadOnlyCollection<string> names) =>
        names.Count == 0 ? AnyName : _builder.Value(Once($"other {Join(names)}", () => _text.AnyBut(names)));

    private Part Comma => GrammarBuilder.Sequence(Byte(','), Space);

    private Part SpaceAt(Counting? guard) => _builder.Optional(_builder.Call(_space, guard));

    private static string Join(IEnumerable<string> texts) =>
        System.Text.Json.JsonSerializer.Serialize(texts.Order(StringComparer.Ordinal));

    private int Once(string key, Func<Part> part)
    {
        if (!_rules.TryGetValue(key, out var rule))
        {
            rule = _rules[key] = _builder.Rule(part());
        }

        return rule;
    }

    private Part Words(IReadOnlyCollection<string> words) => next => new RuneTree(words).Build(
        _builder, rune => [(byte)rune.Value], (_, isEnd) => isEnd ? next : -1);

    private Part Integer()
    {
        var digit = _builder.Bytes(ByteSet.Range((byte)'0', (byte)'9'));
        var whole = GrammarBuilder.Sequence(
            _builder.Bytes(ByteSet.Range((byte)'1', (byte)'9')), _builder.Repeat(digit, 0, 15));
        return GrammarBuilder.Sequence(_builder.Optional(Byte('-')), _builder.Choice(Byte('0'), whole));
    }

    private Part Number()
    {
        var digit = _builder.Bytes(ByteSet.Range((byte)'0', (byte)'9'));
        return GrammarBuilder.Sequence(
            Integer(),
            _builder.Optional(GrammarBuilder.Sequence(Byte('.'), _builder.Repeat(digit, 1, 16))),
            _builder.Optional(GrammarBuilder.Sequence(
                _builder.Bytes(ByteSet.Create("eE"u8)),
                _builder.Optional(_builder.Bytes(ByteSet.Create("+-"u8))),
                _builder.Repeat(digit, 1, 3))));
    }
}

/// <summary>A property of an object: its name, its value, and whether every object has it.</summary>
internal readonly record struct JsonProperty(string Name, int Value, bool IsRequired);
