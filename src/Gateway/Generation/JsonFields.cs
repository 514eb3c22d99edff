using System.Text.Json;
using Herd.Contracts.Errors;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Generation;

/// <summary>Reads fields whose JSON has more than one type.</summary>
internal static class JsonFields
{
    /// <summary>A text, or an array of texts.</summary>
    /// <exception cref="HerdException">It is neither.</exception>
    public static Field<IReadOnlyList<string>?> Texts(string name, JsonElement? value) => (name, value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } one => [one.GetString()!],
        { ValueKind: JsonValueKind.Array } several
            when several.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String) =>
            [.. several.EnumerateArray().Select(text => text.GetString()!)],
        _ => throw Bad($"'{name}' must be a text or an array of texts.", name),
    });

    /// <summary>
    /// A text in an object; null if the element is no object, or the field is missing or is no text.
    /// </summary>
    public static string? TextOf(this JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object
        && item.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>The content of a message: a text, or an array of parts that are texts.</summary>
    /// <param name="content">The content; null if the message has none.</param>
    /// <param name="name">The field's name.</param>
    /// <param name="types">The types of parts that are texts.</param>
    /// <exception cref="HerdException">It is neither, or a part is no text.</exception>
    public static string Content(JsonElement? content, string name, params IReadOnlyList<string> types) =>
        content switch
        {
            { ValueKind: JsonValueKind.String } text => text.GetString()!,
            { ValueKind: JsonValueKind.Array } parts => string.Concat(parts.EnumerateArray().Select(part =>
                types.Contains(part.TextOf("type")) && part.TextOf("text") is { } text
                    ? text
                    : throw Bad($"'{name}' has a part that is not text. Only text is supported.", name))),
            _ => throw Bad($"'{name}' must be a text or an array of text parts.", name),
        };

    /// <summary>A seed. Negative numbers are seeds too.</summary>
    public static ulong? Seed(long? seed) => seed is { } value ? unchecked((ulong)value) : null;
}
