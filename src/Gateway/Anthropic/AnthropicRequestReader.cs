using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.OpenAi;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Anthropic;

/// <summary>Reads and checks the body of a messages request.</summary>
internal static class AnthropicRequestReader
{
    public static Task<MessagesRequest> Read(HttpRequest request) =>
        request.Read(AnthropicJson.Default.MessagesRequest, "a messages request");

    /// <param name="request">The request.</param>
    /// <param name="markup">The model's markup of calls.</param>
    /// <param name="isToAnswer">False if only the tokens are counted.</param>
    /// <exception cref="HerdException">A field is out of range or not supported.</exception>
    public static TurnRequest ToTurn(MessagesRequest request, AnswerMarkup markup, bool isToAnswer = true)
    {
        UnsupportedFields.Refuse(request.Rest);
        var model = RequireModel(request.Model);
        Require(
            !isToAnswer || request.MaxTokens is not null,
            "'max_tokens' is missing. Send the maximum number of tokens of the answer.",
            "max_tokens");
        var (tools, choice) = Tools(request);
        var settings = SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("temperature", request.Temperature),
            TopP = ("top_p", request.TopP),
            TopK = ("top_k", request.TopK),
            MaxTokens = ("max_tokens", request.MaxTokens),
            Stops = ("stop_sequences", request.StopSequences),
            Tools = ("tools", tools),
            ToolChoice = ("tool_choice", choice),
        });
        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = Messages(request, markup),
            Settings = settings,
            Model = model,
            IsWholeHistory = true,
        };
    }

    private static (IReadOnlyList<Tool>? Tools, ToolChoice? Choice) Tools(MessagesRequest request)
    {
        List<Tool> tools = [.. (request.Tools ?? []).Select(ToTool)];
        var choice = request.ToolChoice?.Type switch
        {
            null or "auto" or "none" => null,
            "any" => new ToolChoice(IsRequired: true),
            "tool" => new ToolChoice(
                IsRequired: true,
                request.ToolChoice.Name
                    ?? throw Bad("'tool_choice.name' is missing. Name the function to call.", "tool_choice")),
            _ => throw Bad("'tool_choice.type' must be auto, any, tool or none.", "tool_choice"),
        };
        return (request.ToolChoice?.Type == "none" || tools.Count == 0 ? null : tools, choice);
    }

    private static Tool ToTool(ToolParam? tool, int index) => tool is { Name: { } name, Type: null or "custom" }
        ? new Tool(
            name,
            tool.Description,
            ChatTools.Parameters(tool.InputSchema, $"tools[{index}].input_schema"),
            tool.Strict == true)
        : throw Bad(
            $"'tools[{index}]' is not a function with a name. Anthropic's own tools are not supported.",
            $"tools[{index}]");

    private static List<Message> Messages(MessagesRequest request, AnswerMarkup markup)
    {
        TurnLimits.CheckCount(request.Messages?.Count ?? 0);
        List<Message> read = request.System is { ValueKind: not JsonValueKind.Null } system
            ? [new Message(Role.System, Text(system, "system"))]
            : [];
        foreach (var (i, message) in request.Messages!.Index())
        {
            var field = $"messages[{i}].content";
            read.AddRange(message?.Role switch
            {
                "user" => User(message.Content, field),
                "assistant" => [new Message(Role.Assistant, Assistant(message.Content, field, markup))],
                _ => throw Bad($"'messages[{i}].role' must be user or assistant.", $"messages[{i}].role"),
            });
        }

        Require(read.Count > 0, "'messages' has no text and no result of a call. Send one of them.", "messages");
        TurnLimits.CheckLast(read, "messages");
        return read;
    }

    /// <summary>The messages of a user: the results of calls first, then the text.</summary>
    private static IEnumerable<Message> User(JsonElement content, string name)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return [new Message(Role.User, content.GetString()!)];
        }

        var results = Blocks(content, name)
            .Where(block => block.TextOf("type") == "tool_result")
            .Select(block => new Message(
                Role.Tool, block.TryGetProperty("content", out var result) ? Text(result, $"{name}.content") : ""));
        var text = string.Concat(Blocks(content, name)
            .Where(block => block.TextOf("type") != "tool_result")
            .Select(block => BlockText(block, name)));
        return text.Length > 0 ? results.Append(new Message(Role.User, text)) : results;
    }

    private static string Assistant(JsonElement content, string name, AnswerMarkup markup)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            return content.GetString()!;
        }

        var text = string.Concat(Blocks(content, name)
            .Where(block => block.TextOf("type") is not ("tool_use" or "thinking" or "redacted_thinking"))
            .Select(block => BlockText(block, name)));
        var calls = Blocks(content, name).Where(block => block.TextOf("type") == "tool_use").Select(block =>
            block.TextOf("name") is { } function
            && block.TryGetProperty("input", out var input) && input.ValueKind == JsonValueKind.Object
                ? new ToolCall("", function, JsonSerializer.Serialize(input, OpenAiJson.Default.JsonElement))
                : throw Bad($"'{name}' has a tool_use without a name or an input object. Send both.", name));
        return CallText.Write(text, [.. calls], markup);
    }

    private static string Text(JsonElement content, string name) => content.ValueKind == JsonValueKind.String
        ? content.GetString()!
        : string.Concat(Blocks(content, name).Select(block => BlockText(block, name)));

    private static JsonElement.ArrayEnumerator Blocks(JsonElement content, string name) =>
        content.ValueKind == JsonValueKind.Array
            ? content.EnumerateArray()
            : throw Bad($"'{name}' must be a text or an array of blocks.", name);

    private static string BlockText(JsonElement block, string name) =>
        block.TextOf("type") == "text" && block.TextOf("text") is { } text
            ? text
            : throw Bad($"'{name}' has a block that is not supported. Only texts, calls and results are.", name);
}
