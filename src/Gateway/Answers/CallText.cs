using System.Text.Json;
using Herd.Contracts.Conversations;

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
        try
        {
            using var document = JsonDocument.Parse(json);
            var call = document.RootElement;
            if (call.ValueKind != JsonValueKind.Object
                || !call.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String
                || tools.All(tool => !name.ValueEquals(tool.Name)))
            {
                return null;
            }

            var hasArguments = call.TryGetProperty("arguments", out var arguments)
                || call.TryGetProperty("parameters", out arguments);
            return !hasArguments ? (name.GetString()!, "{}")
                : arguments.ValueKind == JsonValueKind.Object ? (name.GetString()!, arguments.GetRawText())
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
