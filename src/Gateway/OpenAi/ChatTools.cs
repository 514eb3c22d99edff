using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>Reads the functions and the tool choice of a request.</summary>
internal static class ChatTools
{
    /// <summary>The settings with the functions and the tool choice.</summary>
    /// <exception cref="HerdException">A function is invalid, or the choice names an unknown one.</exception>
    public static GenerationSettings WithTools(
        this GenerationSettings settings, IReadOnlyList<ChatTool>? tools, JsonElement? choice)
    {
        var read = (tools ?? []).Select(ToTool).ToList();
        var (isNone, chosen) = Choice(choice, read);
        return isNone || read.Count == 0 ? settings : settings with { Tools = read, ToolChoice = chosen };
    }

    /// <summary>The calls of an assistant's message.</summary>
    public static IReadOnlyList<ToolCall> Calls(IReadOnlyList<ChatToolCall>? calls, string name) =>
    [
        .. (calls ?? []).Select((call, i) =>
            call?.Function is { Name: { Length: > 0 } function, Arguments: { } arguments } && call.Id is { Length: > 0 } id
            ? new ToolCall(id, function, arguments)
            : throw Bad($"'{name}[{i}]' must have an id, and a function with a name and arguments.", $"{name}[{i}]")),
    ];

    private static Tool ToTool(ChatTool? tool, int index)
    {
        var name = $"tools[{index}]";
        if (tool is not { Type: "function", Function: { Name: { } function } })
        {
            throw Bad($"'{name}' is not a function. Only tools of the type 'function' are supported.", name);
        }

        return new Tool(
            function,
            tool.Function.Description,
            Parameters(tool.Function.Parameters, $"{name}.function.parameters"),
            tool.Function.Strict == true);
    }

    /// <summary>The JSON of a function's schema.</summary>
    public static string? Parameters(JsonElement? schema, string name) => schema switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.Object } read => JsonSerializer.Serialize(read, OpenAiJson.Default.JsonElement),
        _ => throw Bad($"'{name}' must be a JSON schema.", name),
    };

    private static (bool IsNone, ToolChoice? Choice) Choice(JsonElement? choice, List<Tool> tools)
    {
        const string Name = "tool_choice";
        switch (choice)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return (false, null);
            case { ValueKind: JsonValueKind.String } word:
                return word.GetString() switch
                {
                    "none" => (true, null),
                    "auto" => (false, null),
                    "required" when tools.Count > 0 => (false, new ToolChoice(IsRequired: true)),
                    "required" => throw Bad(
                        $"'{Name}' is 'required', but 'tools' is empty. Add a function, or leave it out.", Name),
                    _ => throw Bad($"'{Name}' must be none, auto, required or a function.", Name),
                };
            default:
                // Chat completions have the name in "function", responses beside the type.
                var named = choice.Value.ValueKind == JsonValueKind.Object && choice.Value.TryGetProperty(
                    "function", out var function)
                    ? function
                    : choice.Value;
                var name = named.ValueKind == JsonValueKind.Object && named.TryGetProperty("name", out var given)
                    ? given.GetString()
                    : null;
                return tools.Exists(tool => tool.Name == name)
                    ? (false, new ToolChoice(IsRequired: true, name))
                    : throw Bad($"'{Name}' names a function that is not in 'tools'.", Name);
        }
    }
}
