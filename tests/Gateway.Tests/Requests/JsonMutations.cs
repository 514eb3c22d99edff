using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Herd.Gateway.Tests.Requests;

/// <summary>Changes one value of a JSON text in every way that a client may get it wrong.</summary>
internal static class JsonMutations
{
    private const string Marker = "<<here>>";

    private static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Values that are JSON. Each may be right for some fields.</summary>
    public static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0", "-1", "1.5", "1e400", "-1e400", "99999999999999999999", "\"\"", "\"x\"",
        "[]", "{}", "[null]", "[[]]", "[{}]", "[1]", "{\"type\":5}", "{\"type\":\"x\",\"text\":null}", "{\"\":1}",
        "[\"a\",5]", "{\"type\":\"text\",\"text\":5}", "[{\"type\":\"tool_use\"}]", "[{\"type\":\"tool_result\"}]",
    ];

    /// <summary>Values that are no JSON, or that no reader can take.</summary>
    public static readonly string[] Faults =
    [
        """ "\ud83d" """, """ "a\udc00b" """, """ {"\ud83d":1} """, "\"caf\u00E9\"", "\"\u00FF\u00FE\"",
        "{\"\u00E9\":1}", "{\"a\":1,\"a\":2}", "nul", "\"\\x\"", "01", "+1", "NaN", "[1,]", "{\"a\":}", "\"\u0001\"",
        new string('[', 100) + new string(']', 100), new string('[', 100_000),
        string.Concat(Enumerable.Repeat("{\"a\":", 70)) + "1" + new string('}', 70),
    ];

    /// <summary>The text with a value in the place of each of its values, one at a time.</summary>
    /// <param name="json">The text.</param>
    /// <param name="value">The new value, one byte for each character.</param>
    public static IEnumerable<(string Path, byte[] Json)> Replace(string json, string value)
    {
        foreach (var (path, marked) in Mark(json))
        {
            var changed = marked.Replace($"\"{Marker}\"", value, StringComparison.Ordinal);
            yield return (path, Encoding.Latin1.GetBytes(changed));
        }
    }

    /// <summary>The text with each of its values marked, one at a time. The root is not.</summary>
    private static IEnumerable<(string Path, string Json)> Mark(string json)
    {
        var count = Places(JsonNode.Parse(json)!).Count();
        for (var i = 0; i < count; i++)
        {
            var root = JsonNode.Parse(json)!;
            var place = Places(root).ElementAt(i);
            var path = place.GetPath();
            if (place.Parent is JsonArray array)
            {
                array[array.IndexOf(place)] = Marker;
            }
            else
            {
                ((JsonObject)place.Parent!)[place.GetPropertyName()] = Marker;
            }

            yield return (path, root.ToJsonString(Plain));
        }
    }

    private static IEnumerable<JsonNode> Places(JsonNode node) => node switch
    {
        JsonObject all => all.Where(member => member.Value is not null)
            .SelectMany(member => Places(member.Value!).Prepend(member.Value!)),
        JsonArray all => all.OfType<JsonNode>().SelectMany(item => Places(item).Prepend(item)),
        _ => [],
    };
}
