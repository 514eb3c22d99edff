using System.Text.Json;

namespace Herd.Inference.Grammars;

/// <summary>Reads the parts of a JSON schema. Errors name the place in the schema and say what was found.</summary>
internal static class SchemaText
{
    private const int MaxShown = 40;

    /// <summary>The maximum of a count such as minLength: a thousand million.</summary>
    public const int MaxCount = 1_000_000_000;

    /// <summary>The place of a property.</summary>
    public static string At(string path, string name) => $"{path}.{Shorten(name)}";

    public static string Shorten(string found) => found.Length <= MaxShown ? found : $"{found[..MaxShown]}...";

    /// <summary>Checks that all names and strings are Unicode, so that reading them later cannot fail.</summary>
    /// <exception cref="GrammarException">A surrogate stands alone.</exception>
    public static void RefuseLoneSurrogates(JsonElement element, string path)
    {
        try
        {
            if (element.ValueKind == JsonValueKind.String)
            {
                element.GetString();
            }
            else if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (var (i, item) in element.EnumerateArray().Index())
                {
                    RefuseLoneSurrogates(item, $"{path}[{i}]");
                }
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in element.EnumerateObject())
                {
                    RefuseLoneSurrogates(property.Value, At(path, property.Name));
                }
            }
        }
        catch (InvalidOperationException)
        {
            throw new GrammarException($"{path} has a text with half of a surrogate pair, which is no character");
        }
    }

    public static JsonElement Object(JsonElement element, string path) => Expect(JsonValueKind.Object, element, path);

    public static JsonElement[] Array(JsonElement element, string path) =>
        [.. Expect(JsonValueKind.Array, element, path).EnumerateArray()];

    /// <summary>The items of an array that is not empty.</summary>
    public static JsonElement[] Items(JsonElement element, string path) =>
        Array(element, path) is { Length: > 0 } items ? items : throw new GrammarException($"{path} is empty");

    public static string Text(JsonElement element, string path) =>
        Expect(JsonValueKind.String, element, path).GetString()!;

    /// <summary>
    /// The bounds of a count, from 0 to <see cref="MaxCount"/>; without a maximum <see cref="int.MaxValue"/>.
    /// </summary>
    public static (int Min, int Max) Bounds(JsonElement schema, string path, string min, string max)
    {
        var (from, to) = (Count(schema, path, min) ?? 0, Count(schema, path, max) ?? int.MaxValue);
        return to < from ? throw new GrammarException($"{path}.{max} is less than {path}.{min}") : (from, to);
    }

    /// <summary>The properties of an object. Of properties with the same name the last counts.</summary>
    public static IEnumerable<(string Name, JsonElement Value)> Properties(JsonElement element, string path) =>
        Object(element, path).EnumerateObject()
            .Select(property => (property.Name, property.Value))
            .GroupBy(property => property.Name, StringComparer.Ordinal)
            .Select(same => same.Last());

    private static int? Count(JsonElement schema, string path, string name) =>
        !schema.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var count)
            && count is >= 0 and <= MaxCount && count == Math.Floor(count) ? (int)count
        : throw new GrammarException(
            $"{path}.{name} must be a whole number from 0 to {MaxCount}; found {Shorten(value.GetRawText())}");

    private static JsonElement Expect(JsonValueKind kind, JsonElement element, string path) => element.ValueKind == kind
        ? element
        : throw new GrammarException($"{path} must be {Name(kind)}; found {Name(element.ValueKind)}");

    public static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };
}
