using FsCheck;
using FsCheck.Fluent;

namespace Herd.Inference.Tests.Grammars;

/// <summary>
/// Generates schemas with cycles of references, nested choices, counted repetitions, texts with common beginnings, and
/// objects with optional, required and other properties.
/// </summary>
internal static class SchemaGenerator
{
    private const int Definitions = 3;

    /// <summary>
    /// Schemas whose definitions may refer to each other. Some have no finite text, or refer to themselves only.
    /// </summary>
    public static Gen<string> Any =>
        from schema in Schema(3)
        from definitions in Schema(2).ArrayOf(Definitions)
        select $"{{\"anyOf\":[{schema}],\"$defs\":{{{string.Join(
            ',', definitions.Select((definition, i) => $"\"d{i}\":{definition}"))}}}}}";

    private static Gen<string> Scalar => Gen.OneOf(
        Gen.Elements(
            "true",
            """{"type":"boolean"}""",
            """{"type":"integer"}""",
            """{"type":["null","string"]}""",
            """{"type":"number"}""",
            """{"type":"string"}""",
            """{"type":"object"}"""),
        Gen.Choose(0, Definitions - 1).Select(i => $"{{\"$ref\":\"#/$defs/d{i}\"}}"),
        from bounds in Bounds
        select $"{{\"type\":\"string\",\"minLength\":{bounds.Min},\"maxLength\":{bounds.Max}}}",
        from values in Gen.Elements(
            "\"a\"", "\"ab\"", "\"abc\"", "\"ba\"", "\"\"", "\"日本\"", "1", "10", "null", "true").NonEmptyListOf()
        select $"{{\"enum\":[{string.Join(',', values.Distinct())}]}}");

    private static Gen<(int Min, int Max)> Bounds =>
        from min in Gen.Choose(0, 3)
        from more in Gen.Choose(0, 4)
        select (min, min + more);

    private static Gen<string> Schema(int depth) => depth == 0 ? Scalar : Gen.Frequency(
        (1, Scalar),
        (2, from one in Schema(depth - 1)
            from others in Schema(depth - 1).ListOf()
            select $"{{\"anyOf\":[{string.Join(',', others.Prepend(one).Take(4))}]}}"),
        (2, from item in Schema(depth - 1)
            from bounds in Bounds
            from isBounded in Gen.Choose(0, 2)
            select isBounded == 0
                ? $"{{\"type\":\"array\",\"items\":{item}}}"
                : $"{{\"type\":\"array\",\"items\":{item},\"minItems\":{bounds.Min},\"maxItems\":{bounds.Max}}}"),
        (2, from values in Schema(depth - 1).ArrayOf(3)
            from count in Gen.Choose(0, 3)
            from required in Gen.Choose(0, 7)
            from others in Gen.OneOf(Gen.Constant("false"), Schema(depth - 1))
            let names = new[] { "a", "ab", "b" }.Take(count).ToArray()
            select $"{{\"type\":\"object\",\"properties\":{{{string.Join(
                    ',', names.Select((name, i) => $"\"{name}\":{values[i]}"))}}}"
                + $",\"required\":[{string.Join(
                    ',', names.Where((_, i) => (required >> i & 1) != 0).Select(name => $"\"{name}\""))}]"
                + $",\"additionalProperties\":{others}}}"));
}
