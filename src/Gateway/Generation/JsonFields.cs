using System.Text.Json;
using Herd.Contracts.Errors;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Generation;

/// <summary>
/// Reads fields whose JSON has more than one type. Only this class reads values of a client's JSON: the build refuses
/// it elsewhere (BannedSymbols.txt). JSON null reads as a missing field. Errors have the path of the value at fault.
/// </summary>
#pragma warning disable RS0030 // The one place that reads values.
internal static class JsonFields
{
    /// <summary>The kind of the value; undefined if the field is missing.</summary>
    public static JsonValueKind Kind(this Field<JsonElement?> field) => field.Value switch
    {
        null or { ValueKind: JsonValueKind.Null } => JsonValueKind.Undefined,
        { } value => value.ValueKind,
    };

    /// <summary>A text; null if the field is missing.</summary>
    /// <exception cref="HerdException">It is another value.</exception>
    public static string? Text(this Field<JsonElement?> field) =>
        field.Is(JsonValueKind.String, "a text") ? field.Value!.Value.GetString() : null;

    /// <summary>A text, or an array of texts; null if the field is missing.</summary>
    /// <exception cref="HerdException">It is neither.</exception>
    public static Field<IReadOnlyList<string>?> Texts(this Field<JsonElement?> field) => new(
        field.Name,
        field.Kind() switch
        {
            JsonValueKind.Undefined => null,
            JsonValueKind.String => [field.Text()!],
            JsonValueKind.Array => [.. field.Items().Select(Required)],
            _ => throw field.Wrong("a text or an array of texts"),
        });

    /// <summary>The values of an array; none if the field is missing.</summary>
    /// <exception cref="HerdException">It is another value.</exception>
    public static IEnumerable<Field<JsonElement?>> Items(this Field<JsonElement?> field) =>
        field.Is(JsonValueKind.Array, "an array")
            ? field.Value!.Value.EnumerateArray().Select(
                (item, i) => new Field<JsonElement?>(FormattableString.Invariant($"{field.Name}[{i}]"), item))
            : [];

    /// <summary>A member of an object; it is missing if the object is, or does not have it.</summary>
    /// <exception cref="HerdException">The field is not an object.</exception>
    public static Field<JsonElement?> Member(this Field<JsonElement?> field, string name) => field.Part<JsonElement?>(
        name,
        field.Is(JsonValueKind.Object, "an object") && field.Value!.Value.TryGetProperty(name, out var value)
            ? value
            : null);

    /// <summary>The JSON of an object; null if the field is missing.</summary>
    /// <exception cref="HerdException">It is another value.</exception>
    public static string? Json(this Field<JsonElement?> field) => field.Is(JsonValueKind.Object, "an object")
        ? JsonSerializer.Serialize(field.Value!.Value, OpenAiJson.Default.JsonElement)
        : null;

    /// <summary>The JSON of a value of any kind, as the client wrote it; null if the field is missing.</summary>
    public static string? Raw(this Field<JsonElement?> field) =>
        field.Kind() == JsonValueKind.Undefined ? null : field.Value!.Value.GetRawText();

    /// <summary>True if the field has nothing in it: it is missing, or an empty text, array or object.</summary>
    public static bool IsEmpty(this Field<JsonElement?> field) => field.Kind() switch
    {
        JsonValueKind.Undefined => true,
        JsonValueKind.String => field.Text()!.Length == 0,
        JsonValueKind.Array => field.Value!.Value.GetArrayLength() == 0,
        JsonValueKind.Object => !field.Value!.Value.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>The content of a message: a text, or an array of parts that are texts.</summary>
    /// <param name="field">The content.</param>
    /// <param name="types">The types of parts that are texts.</param>
    /// <exception cref="HerdException">It is neither, or a part is no text.</exception>
    public static string Content(this Field<JsonElement?> field, params IReadOnlyList<string> types) =>
        field.Kind() switch
        {
            JsonValueKind.String => field.Text()!,
            JsonValueKind.Array => string.Concat(field.Items().Select(part => types.Contains(part.Member("type").Text())
                ? part.Member("text").Required()
                : throw Bad($"'{part.Name}' is a part that is not text. Only text is supported.", part.Name))),
            _ => throw field.Wrong("a text or an array of text parts"),
        };

    /// <summary>A text.</summary>
    /// <exception cref="HerdException">It is another value, or missing.</exception>
    public static string Required(this Field<JsonElement?> field) => field.Text() ?? throw field.Wrong("a text");

    /// <summary>The error of a value of the wrong kind.</summary>
    /// <param name="field">The field.</param>
    /// <param name="expected">What it must be, such as "a text".</param>
    public static HerdException Wrong(this Field<JsonElement?> field, string expected) => field.Error(
        $"must be {expected}", JsonKinds.Describe(field.Value?.ValueKind ?? JsonValueKind.Undefined));

    /// <summary>A seed. Negative numbers are seeds too.</summary>
    public static ulong? Seed(long? seed) => seed is { } value ? unchecked((ulong)value) : null;

    /// <summary>True if the value is of the kind, false if it is missing.</summary>
    /// <exception cref="HerdException">It is of another kind.</exception>
    private static bool Is(this Field<JsonElement?> field, JsonValueKind kind, string expected) =>
        field.Kind() is var found && (found == kind || (found == JsonValueKind.Undefined
            ? false
            : throw field.Wrong(expected)));
}
