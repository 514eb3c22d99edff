using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.OpenAi;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Ollama;

/// <summary>Reads and checks the bodies of Ollama's requests.</summary>
internal static class OllamaRequestReader
{
    private static readonly Dictionary<string, Func<Field<JsonElement?>, bool>> Harmless = new()
    {
        ["template"] = JsonFields.IsEmpty,
        ["suffix"] = JsonFields.IsEmpty,
        ["context"] = JsonFields.IsEmpty,
        ["images"] = JsonFields.IsEmpty,
    };

    public static Task<OllamaRequest> Read(HttpRequest request) =>
        request.Read(OllamaJson.Default.OllamaRequest, "a request");

    /// <param name="request">The request.</param>
    /// <param name="isChat">True if it is a chat, false if it continues a prompt.</param>
    /// <param name="markup">The model's markup of calls.</param>
    /// <exception cref="HerdException">A field is out of range or not supported.</exception>
    public static TurnRequest ToTurn(OllamaRequest request, bool isChat, AnswerMarkup markup)
    {
        UnsupportedFields.Refuse(request.Rest, Harmless);
        var settings = Settings(request.Options ?? new OllamaOptions(), request);
        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = isChat ? Messages(request, markup) : Prompt(request),
            Settings = settings,
            Model = NameOf(request.Model),
            IsWholeHistory = true,
        };
    }

    /// <summary>The name of a model. Clients add ":latest" to a name without a tag.</summary>
    public static string NameOf(string? model)
    {
        var name = RequireModel(model);
        return name.EndsWith(":latest", StringComparison.Ordinal) ? name[..^":latest".Length] : name;
    }

    private static GenerationSettings Settings(OllamaOptions options, OllamaRequest request) =>
        SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("options.temperature", options.Temperature),
            TopK = ("options.top_k", options.TopK),
            TopP = ("options.top_p", options.TopP),
            MinP = ("options.min_p", options.MinP),
            TypicalP = ("options.typical_p", options.TypicalP),
            Seed = JsonFields.Seed(options.Seed),

            // Ollama's -1 and -2 mean no limit.
            MaxTokens = ("options.num_predict", options.NumPredict is < 0 ? null : options.NumPredict),
            Stops = new Field<JsonElement?>("options.stop", options.Stop).Texts(),
            RepetitionPenalty = ("options.repeat_penalty", options.RepeatPenalty),
            FrequencyPenalty = ("options.frequency_penalty", options.FrequencyPenalty),
            PresencePenalty = ("options.presence_penalty", options.PresencePenalty),
            Form = ("format", Form(("format", request.Format))),
            Tools = ChatTools.Read(request.Tools, choice: null).Tools,
            IsRaw = request.Raw ?? false,

            // Ollama omits the oldest turns of a history that is too long.
            Overflow = ContextOverflow.Shift,
        });

    private static AnswerForm? Form(Field<JsonElement?> format) => format.Kind() switch
    {
        JsonValueKind.Undefined => null,
        JsonValueKind.String when format.Text() == "" => null,
        JsonValueKind.String when format.Text() == "json" => new AnswerForm(Schema: null),
        JsonValueKind.Object => new AnswerForm(format.Json()),
        _ => throw Bad("'format' must be 'json' or a JSON schema.", "format"),
    };

    private static List<Message> Prompt(OllamaRequest request)
    {
        var prompt = new Message(
            Role.User, request.Prompt ?? throw Bad("'prompt' is missing. Send the text to continue.", "prompt"));
        return request.System is { Length: > 0 } system ? [new Message(Role.System, system), prompt] : [prompt];
    }

    private static List<Message> Messages(OllamaRequest request, AnswerMarkup markup)
    {
        TurnLimits.CheckCount(request.Messages?.Count ?? 0);
        return [.. request.Messages!.Select((message, i) => ToMessage(message, i, markup))];
    }

    private static Message ToMessage(OllamaMessage? message, int index, AnswerMarkup markup)
    {
        var role = message?.Role switch
        {
            "system" => Role.System,
            "user" => Role.User,
            "assistant" => Role.Assistant,
            "tool" => Role.Tool,
            _ => throw Bad(
                $"'messages[{index}].role' must be system, user, assistant or tool.", $"messages[{index}].role"),
        };
        if (!new Field<JsonElement?>("images", message.Images).IsEmpty())
        {
            throw Bad(
                $"'messages[{index}].images' is not supported. Only text is supported.", $"messages[{index}].images");
        }

        var calls = (message.ToolCalls ?? []).Select(
            (call, i) => ToCall(call, $"messages[{index}].tool_calls[{i}].function"));
        return new Message(role, CallText.Write(message.Content ?? "", [.. calls], markup));
    }

    private static ToolCall ToCall(OllamaToolCall? call, string field) =>
        call?.Function?.Name is { } name
        && new Field<JsonElement?>($"{field}.arguments", call.Function.Arguments).Json() is { } arguments
            ? new ToolCall("", name, arguments)
            : throw Bad($"'{field}' must have a name and an arguments object. Send both.", field);
}
