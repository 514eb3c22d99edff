using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;
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
            new Field<JsonElement?>($"tools[{index}].input_schema", tool.InputSchema).Json(),
            tool.Strict == true)
        : throw Bad(
            $"'tools[{index}]' is not a function with a name. Anthropic's own tools are not supported.",
            $"tools[{index}]");

    private static List<Message> Messages(MessagesRequest request, AnswerMarkup markup)
    {
        TurnLimits.CheckCount(request.Messages?.Count ?? 0);
        var system = new Field<JsonElement?>("system", request.System);
        List<Message> read = system.Kind() == JsonValueKind.Undefined ? [] : [new Message(Role.System, Text(system))];
        foreach (var (i, message) in request.Messages!.Index())
        {
            var content = new Field<JsonElement?>($"messages[{i}].content", message?.Content);
            read.AddRange(message?.Role switch
            {
                "user" => User(content),
                "assistant" => [new Message(Role.Assistant, Assistant(content, markup))],
                _ => throw Bad($"'messages[{i}].role' must be user or assistant.", $"messages[{i}].role"),
            });
        }

        Require(read.Count > 0, "'messages' has no text and no result of a call. Send one of them.", "messages");
        TurnLimits.CheckLast(read, "messages");
        return read;
    }

    /// <summary>The messages of a user: the results of calls first, then the text.</summary>
    private static IEnumerable<Message> User(Field<JsonElement?> content)
    {
        if (content.Kind() == JsonValueKind.String)
        {
            return [new Message(Role.User, content.Text()!)];
        }

        var results = Blocks(content)
            .Where(block => Type(block) == "tool_result")
            .Select(block => block.Member("content"))
            .Select(result => new Message(Role.Tool, result.Kind() == JsonValueKind.Undefined ? "" : Text(result)));
        var text = string.Concat(Blocks(content).Where(block => Type(block) != "tool_result").Select(BlockText));
        return text.Length > 0 ? results.Append(new Message(Role.User, text)) : results;
    }

    private static string Assistant(Field<JsonElement?> content, AnswerMarkup markup)
    {
        if (content.Kind() == JsonValueKind.String)
        {
            return content.Text()!;
        }

        var text = string.Concat(Blocks(content)
            .Where(block => Type(block) is not ("tool_use" or "thinking" or "redacted_thinking"))
            .Select(BlockText));
        var calls = Blocks(content).Where(block => Type(block) == "tool_use").Select(block =>
            block.Member("input").Json() is { } input
                ? new ToolCall("", block.Member("name").Required(), input)
                : throw block.Member("input").Wrong("an object"));
        return CallText.Write(text, [.. calls], markup);
    }

    private static string Text(Field<JsonElement?> content) => content.Kind() == JsonValueKind.String
        ? content.Text()!
        : string.Concat(Blocks(content).Select(BlockText));

    private static IEnumerable<Field<JsonElement?>> Blocks(Field<JsonElement?> content) =>
        content.Kind() == JsonValueKind.Array ? content.Items() : throw content.Wrong("a text or an array of blocks");

    private static string? Type(Field<JsonElement?> block) => block.Member("type").Text();

    private static string BlockText(Field<JsonElement?> block) => Type(block) == "text"
        ? block.Member("text").Required()
        : throw Bad(
            $"'{block.Name}' is a block that is not supported. Only texts, calls and results are.", block.Name);
}
