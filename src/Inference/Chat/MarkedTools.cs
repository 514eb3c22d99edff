using System.Text.Json.Nodes;

namespace Herd.Inference.Chat;

/// <summary>
/// The functions for a template. Their texts are marked like those of messages, so no text of a schema can become a
/// control token. Plain words are not marked, because templates compare them.
/// </summary>
internal sealed class MarkedTools(TextMarker marker, int first)
{
    private const int LongestWord = 64;

    /// <summary>The number of marks, including those before <c>first</c>.</summary>
    public int Marks { get; private set; } = first;

    public JsonArray From(IReadOnlyList<ToolDefinition> tools) =>
        new([.. tools.Select(tool => Mark(ToolInstructions.Describe(tool)))]);

    private JsonNode? Mark(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.Select(pair => KeyValuePair.Create(Mark(pair.Key), Mark(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Mark)]),
        JsonValue value when value.TryGetValue<string>(out var text) => Mark(text),
        null => null,
        _ => node.DeepClone(),
    };

    private string Mark(string text) =>
        text.Length <= LongestWord && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? text
            : marker.Mark(Marks++, text);
}
