using System.Text.Json.Nodes;

namespace Herd.Inference.Chat;

/// <summary>
/// Functions as a template sees them, their texts marked like those of messages: what callers say in a schema becomes no
/// control token either. Plain words stay as they are, since templates look at them.
/// </summary>
internal sealed class MarkedTools(TextMarker marker, int first)
{
    private const int LongestWord = 64;

    /// <summary>How many marks there are, those before <c>first</c> counted.</summary>
    public int Marks { get; private set; } = first;

    public JsonArray From(IReadOnlyList<ToolDefinition> tools) => new([.. tools.Select(tool => Mark(ToolInstructions.Describe(tool)))]);

    private JsonNode? Mark(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(Mark(pair.Key), Mark(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Mark)]),
        JsonValue value when value.TryGetValue<string>(out var text) => Mark(text),
        null => null,
        _ => node.DeepClone(),
    };

    private string Mark(string text) => text.Length <= LongestWord && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        ? text
        : marker.Mark(Marks++, text);
}
