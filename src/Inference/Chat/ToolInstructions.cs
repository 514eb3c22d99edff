using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Herd.Inference.Chat;

/// <summary>
/// Describes functions to a model whose template does not support them. The description is part of the system message.
/// Results of calls are user messages.
/// </summary>
internal static class ToolInstructions
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static IReadOnlyList<ChatMessage> Apply(
        IReadOnlyList<ChatMessage> messages, IReadOnlyList<ToolDefinition> tools)
    {
        var result = new List<ChatMessage>();
        if (tools.Count > 0 && (messages.Count == 0 || messages[0].Role != ChatRole.System))
        {
            result.Add(new ChatMessage(ChatRole.System, Instructions(tools)));
        }

        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            if (message.Role == ChatRole.Tool)
            {
                // One user message holds the results of several calls, because some templates need alternating roles.
                var response = $"<tool_response>\n{message.Text}\n</tool_response>";
                result.Add(new ChatMessage(
                    ChatRole.User,
                    i > 0 && messages[i - 1].Role == ChatRole.Tool ? $"{Take(result).Text}\n{response}" : response));
            }
            else
            {
                result.Add(i == 0 && tools.Count > 0 && message.Role == ChatRole.System
                    ? message with { Text = $"{message.Text}\n\n{Instructions(tools)}" }
                    : message);
            }
        }

        return result;
    }

    /// <summary>The JSON description of a function, in the form that templates and models expect.</summary>
    public static JsonObject Describe(ToolDefinition tool)
    {
        var function = new JsonObject { ["name"] = tool.Name };
        if (tool.Description is { } description)
        {
            function["description"] = description;
        }

        function["parameters"] = JsonNode.Parse(tool.Parameters ?? """{"type":"object","properties":{}}""");
        return new JsonObject { ["type"] = "function", ["function"] = function };
    }

    private static string Instructions(IReadOnlyList<ToolDefinition> tools)
    {
        var text = new StringBuilder(
            """
            You can call functions. To call one, answer with
            <tool_call>
            {"name": "the function's name", "arguments": {its arguments}}
            </tool_call>
            and wait: the result comes between <tool_response> tags. These are the functions, each as JSON:
            """);
        foreach (var tool in tools)
        {
            text.Append('\n').Append(Describe(tool)["function"]!.ToJsonString(Readable));
        }

        return text.ToString();
    }

    private static ChatMessage Take(List<ChatMessage> messages)
    {
        var last = messages[^1];
        messages.RemoveAt(messages.Count - 1);
        return last;
    }
}
