using System.Text.Json;

namespace Herd.Inference.Grammars;

/// <summary>Types of JSON values, as in <c>type</c>. Each integer is a number too.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Object = 1,
    Array = 2,
    String = 4,
    Fraction = 8,
    Integer = 16,
    Boolean = 32,
    Null = 64,
    Number = Fraction | Integer,
    Any = Object | Array | String | Number | Boolean | Null,
}

internal static class JsonTypesExtensions
{
    private static readonly (string Name, JsonTypes Types, string[] Keywords)[] Known =
    [
        ("object", JsonTypes.Object, ["properties", "required", "additionalProperties"]),
        ("array", JsonTypes.Array, ["items", "minItems", "maxItems"]),
        ("string", JsonTypes.String, ["minLength", "maxLength"]),
        ("number", JsonTypes.Number, []),
        ("integer", JsonTypes.Integer, []),
        ("boolean", JsonTypes.Boolean, []),
        ("null", JsonTypes.Null, []),
    ];

    /// <summary>The types that a schema names; else those that its keywords are for; else all.</summary>
    public static JsonTypes Allowed(JsonElement schema, string path) =>
        schema.TryGetProperty("type", out var type) ? Named(type, $"{path}.type")
        : Known.Where(one => one.Keywords.Any(keyword => schema.TryGetProperty(keyword, out _)))
            .Aggregate(JsonTypes.None, (all, one) => all | one.Types) is var types and not JsonTypes.None ? types
        : JsonTypes.Any;

    public static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => JsonTypes.Object,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.String => JsonTypes.String,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == Math.Floor(number)
            ? JsonTypes.Integer
            : JsonTypes.Fraction,
        JsonValueKind.Null => JsonTypes.Null,
        _ => JsonTypes.Boolean,
    };

    /// <summary>The keywords that constrain values of these types.</summary>
    public static IEnumerable<string> Keywords(this JsonTypes types) =>
        Known.Where(one => (types & one.Types) != 0).SelectMany(one => one.Keywords);

    private static JsonTypes Named(JsonElement type, string path)
    {
        if (type.ValueKind == JsonValueKind.Array)
        {
            return SchemaText.Items(type, path).Index()
                .Aggregate(JsonTypes.None, (all, one) => all | Named(one.Item, $"{path}[{one.Index}]"));
        }

        var name = type.ValueKind == JsonValueKind.String ? type.GetString() : null;
        return Known.FirstOrDefault(one => one.Name == name) is { Name: not null } known
            ? known.Types
            : throw new GrammarException(
                $"{path} must be one of object, array, string, number, integer, boolean and null; "
                + $"found {SchemaText.Shorten(type.GetRawText())}");
    }
}
