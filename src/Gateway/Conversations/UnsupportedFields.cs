using System.Text.Json;
using Herd.Contracts.Errors;
using Herd.Gateway.Generation;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Refuses fields that ask for what Herd cannot do. Other unknown fields are ignored, as OpenAI does.
/// </summary>
internal static class UnsupportedFields
{
    /// <summary>
    /// A client's chat template, which other servers take at every interface. It would be a program of the client, and
    /// could write control tokens.
    /// </summary>
    private static readonly Dictionary<string, Func<Field<JsonElement?>, bool>> Templates = new()
    {
        ["chat_template"] = JsonFields.IsEmpty,
        ["chat_template_kwargs"] = JsonFields.IsEmpty,
    };

    /// <param name="rest">The fields of a body that its type does not have; null if there are none.</param>
    /// <param name="more">By the names of the interface's own unsupported fields: true for a harmless value.</param>
    /// <exception cref="HerdException">A field asks for what Herd cannot do.</exception>
    public static void Refuse(
        IReadOnlyDictionary<string, JsonElement>? rest,
        IReadOnlyDictionary<string, Func<Field<JsonElement?>, bool>>? more = null)
    {
        foreach (var (name, value) in rest ?? new Dictionary<string, JsonElement>())
        {
            var field = new Field<JsonElement?>(name, value);
            var isHarmless = Templates.GetValueOrDefault(name) ?? more?.GetValueOrDefault(name);
            if (field.Kind() != JsonValueKind.Undefined && isHarmless?.Invoke(field) == false)
            {
                throw Bad($"'{name}' is not supported with this value. Leave it out.", name);
            }
        }
    }
}
