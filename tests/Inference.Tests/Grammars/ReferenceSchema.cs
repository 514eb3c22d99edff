using System.Text.Json;

namespace Herd.Inference.Tests.Grammars;

/// <summary>
/// A slow recogniser of the texts that a grammar of a schema takes, straight from the schema: it tries all ways to read
/// a text from a place and returns all places where one ends.
/// </summary>
internal sealed class ReferenceSchema(JsonElement root, string text)
{
    private readonly Dictionary<(string Schema, int At), int[]> _known = [];
    private bool _runsOut;

    /// <summary>True if the text is complete.</summary>
    public bool IsComplete => Value(root, 0).Contains(text.Length);

    /// <summary>True if the text can be completed; all values of the schema must have a finite text.</summary>
    public bool IsBeginning
    {
        get
        {
            _runsOut = false;
            _known.Clear();
            return IsComplete || _runsOut;
        }
    }

    private int[] Value(JsonElement schema, int at)
    {
        var key = (schema.GetRawText(), at);
        if (!_known.TryGetValue(key, out var ends))
        {
            ends = _known[key] = [.. Read(schema, at).Distinct()];
        }

        return ends;
    }

    private IEnumerable<int> Read(JsonElement schema, int at)
    {
        if (schema.ValueKind == JsonValueKind.True)
        {
            using var any = JsonDocument.Parse("""
                {"anyOf":[{"type":"object"},{"type":"array"},{"type":["string","number","boolean","null"]}]}
                """);
            return Value(any.RootElement.Clone(), at);
        }

        if (schema.TryGetProperty("$ref", out var reference))
        {
            return Value(root.GetProperty("$defs").GetProperty(reference.GetString()!.Split('/')[^1]), at);
        }

        if (schema.TryGetProperty("anyOf", out var several))
        {
            return several.EnumerateArray().SelectMany(one => Value(one, at)).ToList();
        }

        if (schema.TryGetProperty("enum", out var values))
        {
            return values.EnumerateArray().SelectMany(value => Literal(Plain(value), at)).ToList();
        }

        var type = schema.GetProperty("type");
        var types = type.ValueKind == JsonValueKind.Array
            ? type.EnumerateArray().Select(one => one.GetString()) : [type.GetString()];
        return types.SelectMany(one => Typed(one!, schema, at)).ToList();
    }

    /// <summary>A string constant as grammars write it.</summary>
    private static string Plain(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? $"\"{value.GetString()}\"" : value.GetRawText();

    private IEnumerable<int> Typed(string type, JsonElement schema, int at) => type switch
    {
        "string" => Text(at, Count(schema, "minLength", 0), Count(schema, "maxLength", int.MaxValue)),
        "number" => Number(at, isWhole: false),
        "integer" => Number(at, isWhole: true),
        "boolean" => Literal("true", at).Concat(Literal("false", at)),
        "null" => Literal("null", at),
        "array" => Array(
            schema.TryGetProperty("items", out var items) ? items : True,
            at,
            Count(schema, "minItems", 0),
            Count(schema, "maxItems", int.MaxValue)),
        _ => Object(schema, at),
    };

    private static JsonElement True { get; } = JsonDocument.Parse("true").RootElement.Clone();

    private static int Count(JsonElement schema, string name, int other) =>
        schema.TryGetProperty(name, out var count) ? count.GetInt32() : other;

    private IEnumerable<int> Literal(string literal, int at)
    {
        var read = literal.Zip(text.Skip(at)).TakeWhile(pair => pair.First == pair.Second).Count();
        if (read == literal.Length)
        {
            yield return at + read;
        }
        else
        {
            _runsOut |= at + read == text.Length;
        }
    }

    /// <summary>The next character of a set; at the end of the text it could still come.</summary>
    private bool Next(int at, Func<char, bool> isOne)
    {
        _runsOut |= at == text.Length;
        return at < text.Length && isOne(text[at]);
    }

    private IEnumerable<int> Space(int at)
    {
        yield return at;
        if (Next(at, c => c == ' '))
        {
            yield return at + 1;
        }

        if (Next(at, c => c == '\n'))
        {
            for (var indent = 0; indent <= 20; indent++)
            {
                yield return at + 1 + indent;
                if (indent == 20 || !Next(at + 1 + indent, c => c is ' ' or '\t'))
                {
                    break;
                }
            }
        }
    }

    private static List<int> Then(IEnumerable<int> places, Func<int, IEnumerable<int>> next) =>
        [.. places.Distinct().ToList().SelectMany(next).Distinct()];

    private IEnumerable<int> Text(int at, int min, int max)
    {
        if (!Next(at++, c => c == '"'))
        {
            yield break;
        }

        for (var count = 0; ; count++)
        {
            if (count >= min && Next(at, c => c == '"'))
            {
                yield return at + 1;
                yield break;
            }

            if (count >= max || !Character(ref at))
            {
                yield break;
            }
        }
    }

    private bool Character(ref int at)
    {
        if (Next(at, c => c >= ' ' && c is not ('"' or '\\')))
        {
            at += char.IsHighSurrogate(text[at]) ? 2 : 1;
            return true;
        }

        if (!Next(at, c => c == '\\'))
        {
            return false;
        }

        if (Next(at + 1, c => "\"\\/bfnrt".Contains(c, StringComparison.Ordinal)))
        {
            at += 2;
            return true;
        }

        if (!Next(at + 1, c => c == 'u') || !Hex(at + 2, isLow: false, out var value))
        {
            return false;
        }

        at += 6;
        if (char.IsHighSurrogate((char)value))
        {
            if (!Next(at, c => c == '\\') || !Next(at + 1, c => c == 'u') || !Hex(at + 2, isLow: true, out _))
            {
                return false;
            }

            at += 6;
        }

        return true;
    }

    private bool Hex(int at, bool isLow, out int value)
    {
        value = 0;
        for (var i = 0; i < 4; i++)
        {
            if (!Next(at + i, char.IsAsciiHexDigit))
            {
                return false;
            }

            value = (value * 16) + Convert.ToInt32($"{text[at + i]}", 16);
            if (i == 1 && (value is >= 0xDC and <= 0xDF) != isLow)
            {
                return false;
            }
        }

        return true;
    }

    private List<int> Number(int at, bool isWhole)
    {
        var ends = new List<int>();
        at += Next(at, c => c == '-') ? 1 : 0;
        if (Next(at, c => c == '0'))
        {
            ends.Add(++at);
        }
        else if (Next(at, char.IsAsciiDigit))
        {
            ends = Digits(at, 1, 16);
        }

        if (isWhole)
        {
            return ends;
        }

        ends.AddRange(ends.Where(end => Next(end, c => c == '.')).SelectMany(end => Digits(end + 1, 1, 16)).ToList());
        ends.AddRange(ends.Where(end => Next(end, c => c is 'e' or 'E')).SelectMany(end =>
            Digits(end + (Next(end + 1, c => c is '+' or '-') ? 2 : 1), 1, 3)).ToList());
        return ends;
    }

    private List<int> Digits(int at, int min, int max)
    {
        var ends = new List<int>();
        for (var count = 1; count <= max && Next(at, char.IsAsciiDigit); count++)
        {
            at++;
            if (count >= min)
            {
                ends.Add(at);
            }
        }

        return ends;
    }

    private List<int> Array(JsonElement item, int at, int min, int max)
    {
        var begun = Then(Literal("[", at), Space);
        var all = min == 0 ? Then(begun, end => Literal("]", end)) : [];
        var ends = max == 0 ? [] : Then(begun, end => Value(item, end));
        for (var count = 1; ends.Count > 0; count++)
        {
            if (count >= min)
            {
                all.AddRange(Then(Then(ends, Space), end => Literal("]", end)));
            }

            ends = count == max ? [] : Then(Then(Then(ends, end => Literal(",", end)), Space), end => Value(item, end));
        }

        return all;
    }

    private List<int> Object(JsonElement schema, int at)
    {
        var named = schema.TryGetProperty("properties", out var properties);
        var all = named ? properties.EnumerateObject().ToList() : [];
        var required = schema.TryGetProperty("required", out var names)
            ? names.EnumerateArray().Select(name => name.GetString()).ToHashSet() : [];
        JsonElement? others = !schema.TryGetProperty("additionalProperties", out var additional)
            ? named ? null : True
            : additional.ValueKind == JsonValueKind.False ? null : additional;

        // Places with the property that comes next, and whether one was read before.
        var ends = new List<int>();
        var open = Then(Literal("{", at), Space).Select(place => (Place: place, Next: 0, IsFirst: true)).ToList();
        for (var i = 0; i < open.Count; i++)
        {
            var (place, next, isFirst) = open[i];
            if (all.Skip(next).All(property => !required.Contains(property.Name)))
            {
                ends.AddRange(Then(isFirst ? new[] { place } : Space(place), end => Literal("}", end)));
            }

            if (next == all.Count && others is null)
            {
                continue;
            }

            List<int> begun = isFirst ? [place] : Then(Literal(",", place), Space);
            for (var k = next; k < all.Count; k++)
            {
                var pair = Pair(begun, end => Literal($"\"{all[k].Name}\"", end), all[k].Value);
                open.AddRange(pair.Select(end => (end, k + 1, false)).Except(open).ToList());
                if (required.Contains(all[k].Name))
                {
                    break;
                }
            }

            if (others is { } other && all.Skip(next).All(property => !required.Contains(property.Name)))
            {
                var pair = Pair(begun, end => OtherName(end, [.. all.Select(one => one.Name)]), other);
                open.AddRange(pair.Select(end => (end, all.Count, false)).Except(open).ToList());
            }
        }

        return ends;
    }

    private List<int> Pair(IEnumerable<int> begun, Func<int, IEnumerable<int>> name, JsonElement value) =>
        Then(Then(Then(Then(begun, name), end => Literal(":", end)), Space), end => Value(value, end));

    /// <summary>Tests avoid escapes in these names, which only have one way to be written.</summary>
    private IEnumerable<int> OtherName(int at, HashSet<string> names) =>
        Text(at, 0, int.MaxValue).Where(end => !names.Contains(text[(at + 1)..(end - 1)]));
}
