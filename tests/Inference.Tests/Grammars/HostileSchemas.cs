using System.Globalization;

namespace Herd.Inference.Tests.Grammars;

/// <summary>
/// Schemas that are costly for some way to follow a grammar. Tests count the work for them; <c>bench/engine
/// grammars</c> measures the time.
/// </summary>
internal static class HostileSchemas
{
    private const string ArrayOfTexts = """{"type":"array","items":{"type":"string","maxLength":%}}""";

    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>
    {
        ["two arrays of each other"] =
            """
            {"$ref":"#/$defs/a","$defs":{
            "a":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}},
            "b":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}}}}
            """,
        ["two objects of each other"] =
            """
            {"$ref":"#/$defs/a","$defs":{
            "a":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}},
            "b":{"type":"object","additionalProperties":{"anyOf":[{"$ref":"#/$defs/b"},{"type":"string"}]}}}}
            """,
        ["any object"] = """{"type":"object"}""",
        ["500 equal alternatives"] = AnyOf(Many(500, """{"type":"array","items":{"type":"string"}}""")),
        ["500 definitions of each other"] =
            $"{AnyOf(Many(500, """{"$ref":"#/$defs/d%"}"""))[..^1]},\"$defs\":{Object(Many(500, i =>
                $"\"d{i}\":{{\"items\":{{\"$ref\":\"#/$defs/d{(i + 1) % 500}\"}},\"maxItems\":{i + 1}}}"))}}}",
        ["arrays of 250 strings of other lengths"] = AnyOf(Many(250, ArrayOfTexts)),
        ["arrays of 250 strings of other lengths and 1,500 texts"] = AnyOf(
            $"{{\"items\":{Enum(Many(1500, i => $"\"{Word(i, 12)}\""))}}},{Many(250, ArrayOfTexts)}"),
        ["4,000 texts with common beginnings"] = ArrayOf(Enum(Many(4000, "\"common %\""))),
        ["3,000 Chinese texts"] = ArrayOf(Enum(Many(
            3000, i => $"\"{(char)(0x4E00 + (i * 5))}{(char)(0x4E00 + i)}\""))),
        ["600 objects told apart by their last property"] = AnyOf(Many(
            600, """{"properties":{"a":{"type":"string"},"k":{"const":"k%"}},"required":["a","k"]}""")),
        ["50 objects, each without one of 50 names"] = AnyOf(Many(
            50, i => $"{{\"properties\":{Object(Many(50, k => k == i ? $"\"x{k}\":true" : $"\"n{k}\":true"))}}}")),
        ["2,000 optional properties"] = $"{{\"properties\":{Object(Many(2000, "\"p%\":true"))}}}",
        ["2,000 required properties"] =
            $"{{\"properties\":{Object(Many(2000, "\"p%\":true"))},\"required\":[{Many(2000, "\"p%\"")}]}}",
        ["700 names and other properties"] =
            $"{{\"properties\":{Object(Many(700, i => $"\"{Word(i, 6)}\":true"))}"
                + ""","additionalProperties":{"type":"string"}}""",
        ["a chain of 250 references"] =
            $"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{Object(
                Many(250, i => $"\"d{i}\":{{\"$ref\":\"#/$defs/d{i + 1}\"}}")
                    + ",\"d250\":{\"items\":{\"$ref\":\"#/$defs/d5\"}}")}}}",
        ["choices in choices, 12 deep"] = Nested(12),
        ["10,000 characters"] = """{"type":"array","items":{"type":"string","minLength":9000,"maxLength":10000}}""",
        ["10,000 items of 3 to 20 characters"] =
            """
            {"type":"array","minItems":9000,"maxItems":10000,"items":{"type":"string","minLength":3,"maxLength":20}}
            """,
    };

    private static string AnyOf(string schemas) => $"{{\"anyOf\":[{schemas}]}}";

    private static string Enum(string values) => $"{{\"enum\":[{values}]}}";

    private static string ArrayOf(string items) => $"{{\"type\":\"array\",\"items\":{items}}}";

    private static string Object(string properties) => $"{{{properties}}}";

    private static string Many(int count, Func<int, string> text) =>
        string.Join(',', Enumerable.Range(0, count).Select(text));

    /// <summary>The text so many times, with the number for each percent sign.</summary>
    private static string Many(int count, string text) => Many(
        count, i => text.Replace("%", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));

    private static string Nested(int depth) => depth == 0
        ? ArrayOf("""{"$ref":"#"}""")
        : AnyOf($"{Nested(depth - 1)},{{\"items\":{{\"$ref\":\"#\"}},\"maxItems\":{depth}}}");

    /// <summary>A word of lower-case letters and its number.</summary>
    private static string Word(int number, int length)
    {
        var random = new Random(number);
        return string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(26)))) + number;
    }
}
