using System.Globalization;
using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Answers;
using Herd.Gateway.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>Reads and checks the body of a chat completion request.</summary>
internal static class ChatRequestReader
{
    private static readonly Dictionary<string, Func<Field<JsonElement?>, bool>> Harmless = new()
    {
        ["functions"] = JsonFields.IsEmpty,
        ["function_call"] = value => value.Kind() == JsonValueKind.String && value.Text() is "none" or "auto",
        ["modalities"] = value => value.Kind() == JsonValueKind.Array
            && value.Items().All(item => item.Kind() == JsonValueKind.String && item.Text() == "text"),
        ["audio"] = _ => false,
    };

    /// <exception cref="HerdException">The body is not a request.</exception>
    public static Task<ChatRequest> Read(HttpRequest request) =>
        request.Read(OpenAiJson.Default.ChatRequest, "a chat completion request");

    /// <param name="request">The request.</param>
    /// <param name="markup">The model's markup of calls.</param>
    /// <exception cref="HerdException">A field is out of range or not supported.</exception>
    public static TurnRequest ToTurn(ChatRequest request, AnswerMarkup markup)
    {
        UnsupportedFields.Refuse(request.Rest, Harmless);

        var (tools, choice) = ChatTools.Read(request.Tools, request.ToolChoice);
        var settings = SettingsBuilder.Build(new SettingsFields
        {
            Temperature = ("temperature", request.Temperature),
            TopK = ("top_k", request.TopK),
            TopP = ("top_p", request.TopP),
            MinP = ("min_p", request.MinP),
            TypicalP = ("typical_p", request.TypicalP),
            Seed = JsonFields.Seed(request.Seed),
            MaxTokens = request.MaxCompletionTokens is not null
                ? ("max_completion_tokens", request.MaxCompletionTokens)
                : ("max_tokens", request.MaxTokens),
            Stops = new Field<JsonElement?>("stop", request.Stop).Texts(),
            RepetitionPenalty = ("repetition_penalty", request.RepetitionPenalty),
            FrequencyPenalty = ("frequency_penalty", request.FrequencyPenalty),
            PresencePenalty = ("presence_penalty", request.PresencePenalty),
            Bias = ("logit_bias", Bias(request.LogitBias)),
            LogProbs = ("top_logprobs", LogProbs(request)),
            Form = ("response_format", Form(request.ResponseFormat)),
            Tools = tools,
            ToolChoice = choice,
            IgnoreEnd = request.IgnoreEos ?? false,
        });
        if (request.N is < 1 or > Choices.Max)
        {
            throw Bad($"'n' must be from 1 to {Choices.Max}; found {request.N}.", "n");
        }

        return new TurnRequest
        {
            TurnId = ConversationClient.NewTurnId(),
            Input = Messages(request.Messages, markup),
            Settings = settings,
            Model = RequireModel(request.Model),
            IsWholeHistory = true,
        };
    }

    private static List<Message> Messages(IReadOnlyList<ChatRequestMessage>? messages, AnswerMarkup markup)
    {
        TurnLimits.CheckCount(messages?.Count ?? 0);
        var called = new HashSet<string>();
        var read = messages!.Select((message, i) => ToMessage(message, i, markup, called)).ToList();
        TurnLimits.CheckLast(read, $"messages[{read.Count - 1}].role");
        return read;
    }

    /// <param name="message">The message.</param>
    /// <param name="index">The message's index.</param>
    /// <param name="markup">The model's markup of calls.</param>
    /// <param name="called">The ids of the calls of earlier messages. Those of this message are added.</param>
    private static Message ToMessage(
        ChatRequestMessage? message, int index, AnswerMarkup markup, HashSet<string> called)
    {
        var role = Role(message?.Role, index);
        if (role == Contracts.Conversations.Role.Tool && !called.Contains(message?.ToolCallId ?? ""))
        {
            throw Bad(
                $"'messages[{index}].tool_call_id' is not the id of a call of an earlier message. Send that one too.",
                $"messages[{index}].tool_call_id");
        }

        if (role != Contracts.Conversations.Role.Assistant || message!.ToolCalls is not { Count: > 0 })
        {
            return new Message(role, Content(message, index).Content("text"));
        }

        var calls = ChatTools.Calls(message.ToolCalls, $"messages[{index}].tool_calls");
        called.UnionWith(calls.Select(call => call.Id));
        var content = Content(message, index);
        var text = content.Kind() == JsonValueKind.Undefined ? "" : content.Content("text");
        return new Message(role, CallText.Write(text, calls, markup));
    }

    private static Role Role(string? role, int index) => role switch
    {
        "system" or "developer" => Contracts.Conversations.Role.System,
        "user" => Contracts.Conversations.Role.User,
        "assistant" => Contracts.Conversations.Role.Assistant,
        "tool" => Contracts.Conversations.Role.Tool,
        _ => throw Bad(
            $"'messages[{index}].role' must be system, developer, user, assistant or tool.", $"messages[{index}].role"),
    };

    private static Field<JsonElement?> Content(ChatRequestMessage? message, int index) =>
        new($"messages[{index}].content", message?.Content);

    private static int? LogProbs(ChatRequest request) => request switch
    {
        { Logprobs: true } => request.TopLogprobs ?? 0,
        { TopLogprobs: not (null or 0) } => throw Bad(
            "'top_logprobs' needs 'logprobs' to be true. Set it, or leave 'top_logprobs' out.", "top_logprobs"),
        _ => null,
    };

    private static Dictionary<int, float> Bias(IReadOnlyDictionary<string, float>? bias)
    {
        var read = new Dictionary<int, float>();
        foreach (var (key, value) in bias ?? new Dictionary<string, float>())
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
            {
                throw Bad("The keys of 'logit_bias' must be ids of tokens, such as \"15043\".", "logit_bias");
            }

            read[token] = value;
        }

        return read;
    }

    private static AnswerForm? Form(ResponseFormat? format) => format?.Type switch
    {
        null when format is null => null,
        "text" => null,
        "json_object" => new AnswerForm(Schema: null),
        "json_schema" => new AnswerForm(
            new Field<JsonElement?>("response_format.json_schema.schema", format.JsonSchema?.Schema).Raw()
                ?? throw Bad(
                    "'response_format.json_schema.schema' is missing. Send it, or use json_object.",
                    "response_format")),
        _ => throw Bad("'response_format.type' must be text, json_object or json_schema.", "response_format"),
    };
}
