using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Herd.Gateway.Requests;

/// <summary>Names the kinds of JSON values in errors: what was expected, and what was found.</summary>
internal static class JsonKinds
{
    /// <summary>What a value is, such as "a number".</summary>
    public static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        JsonValueKind.Null => "null",
        _ => "nothing",
    };

    /// <summary>What a value at a token is. A number may be out of the range of its type.</summary>
    public static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a text",
        JsonTokenType.Number => "another number",
        JsonTokenType.True or JsonTokenType.False => "true or false",
        _ => "null",
    };

    /// <summary>What values of a type must be; null if they may be anything.</summary>
    public static string? Expected(JsonTypeInfo type) => type.Kind switch
    {
        JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary => "an object",
        JsonTypeInfoKind.Enumerable => "an array",
        _ => (Nullable.GetUnderlyingType(type.Type) ?? type.Type) switch
        {
            var t when t == typeof(string) => "a text",
            var t when t == typeof(bool) => "true or false",
            var t when t == typeof(int) => $"an integer from {int.MinValue} to {int.MaxValue}",
            var t when t == typeof(long) => $"an integer from {long.MinValue} to {long.MaxValue}",
            var t when t == typeof(float) => "a number",
            _ => null,
        },
    };

    /// <summary>True if the value that the reader is at may be of the type.</summary>
    public static bool Fits(ref Utf8JsonReader reader, JsonTypeInfo type)
    {
        var nullable = Nullable.GetUnderlyingType(type.Type);
        var value = nullable ?? type.Type;
        return (reader.TokenType, type.Kind) switch
        {
            (JsonTokenType.Null, _) => !type.Type.IsValueType || nullable is not null || value == typeof(JsonElement),
            (JsonTokenType.StartObject, JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary) => true,
            (JsonTokenType.StartArray, JsonTypeInfoKind.Enumerable) => true,
            (_, not JsonTypeInfoKind.None) => false,
            _ when value == typeof(JsonElement) => true,
            (JsonTokenType.String, _) => value == typeof(string),
            (JsonTokenType.True or JsonTokenType.False, _) => value == typeof(bool),
            (JsonTokenType.Number, _) =>
                (value == typeof(int) && reader.TryGetInt32(out _))
                || (value == typeof(long) && reader.TryGetInt64(out _))
                || (value == typeof(float) && reader.TryGetSingle(out var number) && float.IsFinite(number)),
            _ => false,
        };
    }
}
