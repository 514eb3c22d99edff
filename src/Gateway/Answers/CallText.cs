using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;

namespace Herd.Gateway.Answers;

/// <summary>The text of calls, as models write it.</summary>
internal static class CallText
{
    public const string Open = "<tool_call>";
    public const string Close = "</tool_call>";

    /// <summary>Writes an answer's text and calls as the model wrote them.</summary>
    public static string Write(string text, IReadOnlyList<ToolCall> calls, AnswerMarkup markup) => string.Join(
        '\n',
        calls.Select(call => markup.HasFlag(AnswerMarkup.BareCalls)
            ? $$"""{"name": "{{call.Name}}", "parameters": {{call.Arguments}}}"""
            : $$"""{{Open}}{{"\n"}}{"name": "{{call.Name}}", "arguments": {{call.Arguments}}}{{"\n"}}{{Close}}""")
        .Prepend(text)
        .Where(part => part.Length > 0));

    /// <summary>Reads a call of one of the functions.</summary>
    /// <returns>The function and the arguments; null if the text is not a call of one of them.</returns>
    public static (string Name, string Arguments)? Read(string json, IReadOnlyList<Tool> tools)
    {
        if (!JsonCheck.IsObject(json))
        {
            return null;
        }

        using var document = JsonDocument.Parse(json);
        var call = new Field<JsonElement?>("call", document.RootElement);
        var member = call.Member("name");
        var name = member.Kind() == JsonValueKind.String ? member.Text() : null;
        if (name is null || tools.All(tool => tool.Name != name))
        {
            return null;
        }

        var arguments = call.Member("arguments");
        arguments = arguments.Kind() == JsonValueKind.Undefined ? call.Member("parameters") : arguments;
        return arguments.Kind() switch
        {
            JsonValueKind.Undefined => (name, "{}"),
            JsonValueKind.Object => (name, arguments.Raw()!),
            _ => null,
        };
    }
}
