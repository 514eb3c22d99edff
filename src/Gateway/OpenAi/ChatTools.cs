using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Generation;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>Reads the functions and the tool choice of a request.</summary>
internal static class ChatTools
{
    private const string ChoiceName = "tool_choice";

    /// <summary>
    /// The functions that the model may call, and the tool choice. There are none if the choice is none.
    /// </summary>
    /// <exception cref="HerdException">The JSON is not that of a function or a choice.</exception>
    public static (Field<IReadOnlyList<Tool>?> Tools, Field<ToolChoice?> Choice) Read(
        IReadOnlyList<ChatTool>? tools, JsonElement? choice)
    {
        List<Tool> read = [.. (tools ?? []).Select(ToTool)];
        var (isNone, chosen) = Choice((ChoiceName, choice));
        return (("tools", isNone || read.Count == 0 ? null : read), (ChoiceName, chosen));
    }

    /// <summary>The calls of an assistant's message.</summary>
    public static IReadOnlyList<ToolCall> Calls(IReadOnlyList<ChatToolCall>? calls, string name) =>
    [
        .. (calls ?? []).Select((call, i) =>
            call is { Id: { Length: > 0 } id, Function: { Name: { Length: > 0 } function, Arguments: { } arguments } }
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
            new Field<JsonElement?>($"{name}.function.parameters", tool.Function.Parameters).Json(),
            tool.Function.Strict == true);
    }

    private static (bool IsNone, ToolChoice? Choice) Choice(Field<JsonElement?> choice) => choice.Kind() switch
    {
        JsonValueKind.Undefined => (false, null),
        JsonValueKind.String when choice.Text() == "none" => (true, null),
        JsonValueKind.String when choice.Text() == "auto" => (false, null),
        JsonValueKind.String when choice.Text() == "required" => (false, new ToolChoice(IsRequired: true)),
        JsonValueKind.Object when FunctionName(choice) is { } name => (false, new ToolChoice(IsRequired: true, name)),
        _ => throw Bad($"'{ChoiceName}' must be none, auto, required, or an object that names a function.", ChoiceName),
    };

    /// <summary>The name in a choice. Chat completions have it in "function", responses beside the type.</summary>
    private static string? FunctionName(Field<JsonElement?> choice)
    {
        var function = choice.Member("function");
        return (function.Kind() == JsonValueKind.Undefined ? choice : function).Member("name").Text();
    }
}
