using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;
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
        var messages = Messages(("input", request.Input), markup);
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
    public static string? Conversation(ResponseRequest request)
    {
        var field = new Field<JsonElement?>("conversation", request.Conversation);
        return field.Kind() switch
        {
            JsonValueKind.Undefined => null,
            JsonValueKind.String => field.Text(),
            JsonValueKind.Object => field.Member("id").Required(),
            _ => throw field.Wrong("an id, or an object with one"),
        };
    }

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

    private static List<Message> Messages(Field<JsonElement?> input, AnswerMarkup markup)
    {
        if (input.Kind() == JsonValueKind.String && input.Text() is { Length: > 0 } said)
        {
            return [new Message(Role.User, said)];
        }

        if (input.Kind() != JsonValueKind.Array)
        {
            throw input.Wrong("a text that is not empty, or an array of messages");
        }

        var items = input.Items().ToList();
        TurnLimits.CheckCount(items.Count, "input");
        var messages = items.Select(item => ToMessage(item, markup)).OfType<Message>().ToList();
        Require(messages.Count > 0, "'input' has no message. Add one.", "input");
        TurnLimits.CheckLast(messages, $"input[{messages.Count - 1}].role");
        return messages;
    }

    /// <returns>Null for a thought, which the model does not see again.</returns>
    public static Message? ToMessage(Field<JsonElement?> item, AnswerMarkup markup)
    {
        switch (item.Member("type").Text() ?? "message")
        {
            case "reasoning":
                return null;
            case "function_call":
                return new Message(Role.Assistant, CallText.Write("", [ToCall(item)], markup));
            case "function_call_output":
                return new Message(Role.Tool, item.Member("output").Required());
            case "message":
                break;
            default:
                throw Bad(
                    $"'{item.Name}.type' must be message, function_call, function_call_output or reasoning.",
                    $"{item.Name}.type");
        }

        return new Message(
            item.Member("role").Text() switch
            {
                "system" or "developer" => Role.System,
                "user" => Role.User,
                "assistant" => Role.Assistant,
                _ => throw Bad(
                    $"'{item.Name}.role' must be system, developer, user or assistant.", $"{item.Name}.role"),
            },
            item.Member("content").Content("input_text", "output_text"));
    }

    private static ToolCall ToCall(Field<JsonElement?> item) => new(
        item.Member("call_id").Text() ?? "", item.Member("name").Required(), item.Member("arguments").Required());

    private static AnswerForm? Form(TextFormat? format) => format?.Type switch
    {
        null or "text" => null,
        "json_object" => new AnswerForm(Schema: null),
        "json_schema" => new AnswerForm(
            new Field<JsonElement?>("text.format.schema", format.Schema).Raw()
                ?? throw Bad("'text.format.schema' is missing. Send it, or use json_object.", "text.format")),
        _ => throw Bad("'text.format.type' must be text, json_object or json_schema.", "text.format"),
    };
}
