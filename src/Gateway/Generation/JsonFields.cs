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

    /// <summary>A seed. Negative numbers are seeds too.</summary>
    public static ulong? Seed(long? seed) => seed is { } value ? unchecked((ulong)value) : null;
}
