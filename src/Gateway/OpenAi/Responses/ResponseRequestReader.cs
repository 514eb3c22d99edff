using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>Reads and checks the body of a request for a response.</summary>
internal static class ResponseRequestReader
{
    /// <exception cref="HerdException">The body is not a request.</exception>
    public static async Task<ResponseRequest> Read(HttpRequest request)
    {
        var read = await request.Read(ResponsesJson.Default.ResponseRequest, "a request for a response");
        Check(read);
        return read;
    }

    /// <summary>The requested turn.</summary>
    public static TurnRequest ToTurn(ResponseRequest request, bool isFirst, AnswerMarkup markup)
    {
        var (tools, choice) = ChatTools.Read([.. (request.Tools ?? []).Select(ToTool)], request.ToolChoice);
        var settings = SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("temperature", request.Temperature),
            TopP = ("top_p", request.TopP),
            MaxTokens = ("max_output_tokens", request.MaxOutputTokens),
            Form = ("text.format", Form(request.Text?.Format)),
            Tools = tools,
            ToolChoice = choice,
            Overflow = request.Truncation == "auto" ? ContextOverflow.Shift : ContextOverflow.Refuse,
        });

        // Instructions belong to one response. Those of the first stand at the start of the conversation, where other
        // conversations share them. Later ones stand before the input.
        var messages = Messages(request.Input, markup);
        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = request.Instructions is { } instructions && !isFirst
                ? [new Message(Role.System, instructions), .. messages]
                : messages,
            Settings = settings,
            Model = request.Model,
            Metadata = MetadataRules.Check(request.Metadata),
        };
    }

    /// <summary>The id of the requested conversation; null if the request has none.</summary>
    public static string? Conversation(ResponseRequest request) => request.Conversation switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } id => id.GetString(),
        { ValueKind: JsonValueKind.Object } named when named.TextOf("id") is { } id => id,
        _ => throw Bad("'conversation' must be an id, or an object with one.", "conversation"),
    };

    private static void Check(ResponseRequest request)
    {
        UnsupportedFields.Refuse(request.Rest);
        RequireModel(request.Model);
        Require(
            request.Background is not true,
            "'background' is not supported. Leave it out; a long answer can be streamed.",
            "background");
        Require(
            request.Truncation is null or "auto" or "disabled",
            "'truncation' must be auto or disabled.",
            "truncation");
        var conversation = Conversation(request);
        Require(
            request.PreviousResponseId is null || conversation is null,
            "The request has both 'previous_response_id' and 'conversation'. Send one of them.",
            "previous_response_id");
        Require(
            request.Store is not false || (request.PreviousResponseId is null && conversation is null),
            "'store' must not be false with 'previous_response_id' or 'conversation'. Leave it out.",
            "store");
        MetadataRules.Check(request.Metadata);
    }

    private static ChatTool ToTool(ResponseTool? tool) =>
        new(tool?.Type, new ChatFunction(tool?.Name, tool?.Description, tool?.Parameters, tool?.Strict));

    private static List<Message> Messages(JsonElement? input, AnswerMarkup markup)
    {
        if (input is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } said)
        {
            return [new Message(Role.User, said)];
        }

        if (input is not { ValueKind: JsonValueKind.Array } items)
        {
            throw Bad("'input' must be a text that is not empty, or an array of messages.", "input");
        }

        TurnLimits.CheckCount(items.GetArrayLength(), "input");
        var messages = items.EnumerateArray().Select(
            (item, i) => ToMessage(item, i, markup)).OfType<Message>().ToList();
        Require(messages.Count > 0, "'input' has no message. Add one.", "input");
        TurnLimits.CheckLast(messages, $"input[{messages.Count - 1}].role");
        return messages;
    }

    /// <returns>Null for a thought, which the model does not see again.</returns>
    public static Message? ToMessage(JsonElement item, int index, AnswerMarkup markup)
    {
        var name = $"input[{index}]";
        Require(item.ValueKind == JsonValueKind.Object, $"'{name}' must be an object.", name);
        switch (item.TextOf("type") ?? "message")
        {
            case "reasoning":
                return null;
            case "function_call":
                return new Message(Role.Assistant, CallText.Write("", [ToCall(item, name)], markup));
            case "function_call_output":
                return new Message(
                    Role.Tool,
                    item.TextOf("output") ?? throw Bad($"'{name}.output' must be a text.", $"{name}.output"));
            case "message":
                break;
            default:
                throw Bad(
                    $"'{name}.type' must be message, function_call, function_call_output or reasoning.",
                    $"{name}.type");
        }

        return new Message(
            item.TextOf("role") switch
            {
                "system" or "developer" => Role.System,
                "user" => Role.User,
                "assistant" => Role.Assistant,
                _ => throw Bad($"'{name}.role' must be system, developer, user or assistant.", $"{name}.role"),
            },
            Text(item, $"{name}.content"));
    }

    private static ToolCall ToCall(JsonElement item, string name) =>
        item.TextOf("name") is { } function && item.TextOf("arguments") is { } arguments
            ? new ToolCall(item.TextOf("call_id") ?? "", function, arguments)
            : throw Bad($"'{name}' must have a name and arguments.", name);

    private static string Text(JsonElement item, string name) => JsonFields.Content(
        item.TryGetProperty("content", out var content) ? content : null, name, "input_text", "output_text");

    private static AnswerForm? Form(TextFormat? format) => format?.Type switch
    {
        null or "text" => null,
        "json_object" => new AnswerForm(Schema: null),
        "json_schema" => new AnswerForm(
            format.Schema?.GetRawText()
                ?? throw Bad("'text.format.schema' is missing. Send it, or use json_object.", "text.format")),
        _ => throw Bad("'text.format.type' must be text, json_object or json_schema.", "text.format"),
    };
}
