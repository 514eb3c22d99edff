using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Herd.Contracts.Conversations;
using Herd.Gateway.Answers;

namespace Herd.Gateway.OpenAi;

/// <summary>The body of POST /v1/chat/completions. Unknown fields are ignored, as OpenAI does.</summary>
internal sealed record ChatRequest
{
    public string? Model { get; init; }

    public IReadOnlyList<ChatRequestMessage>? Messages { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    /// <summary>The number of answers.</summary>
    public int? N { get; init; }

    public bool? Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    public int? MaxTokens { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public long? Seed { get; init; }

    /// <summary>A text, or an array of texts.</summary>
    public JsonElement? Stop { get; init; }

    public float? FrequencyPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public float? RepetitionPenalty { get; init; }

    public float? TypicalP { get; init; }

    /// <summary>The bias of each token id.</summary>
    public IReadOnlyDictionary<string, float>? LogitBias { get; init; }

    public bool? IgnoreEos { get; init; }

    public ResponseFormat? ResponseFormat { get; init; }

    public IReadOnlyList<ChatTool>? Tools { get; init; }

    /// <summary>None, auto, required, or an object that names a function.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>All other fields. The request is refused if one needs a feature that Herd does not have.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

internal sealed record ChatRequestMessage
{
    public string? Role { get; init; }

    /// <summary>A text, or an array of text parts.</summary>
    public JsonElement? Content { get; init; }

    /// <summary>The calls of an assistant's message.</summary>
    public IReadOnlyList<ChatToolCall>? ToolCalls { get; init; }

    /// <summary>The id of the call whose result a tool's message has.</summary>
    public string? ToolCallId { get; init; }
}

/// <param name="Type">function.</param>
/// <param name="Function">The function.</param>
internal sealed record ChatTool(string? Type, ChatFunction? Function);

internal sealed record ChatFunction(
    string? Name, string? Description = null, JsonElement? Parameters = null, bool? Strict = null);

/// <param name="Index">The index of the call in a stream; null otherwise.</param>
/// <param name="Id">The call's id.</param>
/// <param name="Type">function.</param>
/// <param name="Function">The function and its arguments.</param>
internal sealed record ChatToolCall(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Index,
    string? Id,
    string? Type,
    ChatCalledFunction? Function)
{
    public static ChatToolCall From(ToolCall call, int? index = null) =>
        new(index, call.Id, "function", new ChatCalledFunction(call.Name, call.Arguments));
}

internal sealed record ChatCalledFunction(string? Name, string? Arguments);

/// <param name="Type">text, json_object or json_schema.</param>
/// <param name="JsonSchema">The schema, for json_schema.</param>
internal sealed record ResponseFormat(string? Type, NamedSchema? JsonSchema = null);

internal sealed record NamedSchema(JsonElement? Schema = null);

internal sealed record StreamOptions(bool? IncludeUsage = null);

internal sealed record ChatCompletion(
    string Id,
    string Object,
    long Created,
    string Model,
    string SystemFingerprint,
    IReadOnlyList<ChatChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ChatUsage? Usage)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HerdFields? Herd { get; init; }
}

/// <summary>Herd's fields beside those of OpenAI.</summary>
/// <param name="Stored">
/// False if the store is unreachable. The gateway keeps the answer in memory and stores it later.
/// </param>
internal sealed record HerdFields(bool Stored);

/// <summary>A choice. It has a message, or a delta in a stream.</summary>
internal sealed record ChatChoice(
    int Index,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ChatAnswer? Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ChatText? Delta,
    ChatLogProbs? Logprobs,
    string? FinishReason);

/// <summary>A message. OpenAI's schema requires the field of a refusal, which is always null.</summary>
internal sealed record ChatAnswer(string Role, string? Content, string? Refusal = null)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatToolCall>? ToolCalls { get; init; }

    public static ChatAnswer From(IReadOnlyList<AnswerPart> parts)
    {
        var calls = parts.Where(part => part.Call is not null).Select(part => ChatToolCall.From(part.Call!)).ToList();
        var text = string.Concat(parts.Select(part => part.Text));
        var thought = string.Concat(parts.Select(part => part.Thought));
        return new ChatAnswer("assistant", text.Length == 0 && calls.Count > 0 ? null : text)
        {
            ReasoningContent = thought.Length > 0 ? thought : null,
            ToolCalls = calls.Count > 0 ? calls : null,
        };
    }
}

internal sealed record ChatLogProbs(
    IReadOnlyList<ChatTokenLogProb> Content, IReadOnlyList<ChatTokenLogProb>? Refusal = null)
{
    /// <returns>Null if the request does not ask for them.</returns>
    public static ChatLogProbs? From(IEnumerable<TokenLogProbs> tokens, bool areWanted) =>
        areWanted ? new ChatLogProbs([.. tokens.Select(ChatTokenLogProb.From)]) : null;
}

internal sealed record ChatTokenLogProb(
    string Token,
    float Logprob,
    IReadOnlyList<int> Bytes,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyList<ChatTokenLogProb>? TopLogprobs)
{
    public static ChatTokenLogProb From(TokenLogProbs token) =>
        From(token, [.. token.Likeliest.Select(other => From(other, null))]);

    private static ChatTokenLogProb From(TokenLogProbs token, IReadOnlyList<ChatTokenLogProb>? likeliest) =>
        new(Encoding.UTF8.GetString(token.Bytes), token.LogProb, [.. token.Bytes.Select(b => (int)b)], likeliest);
}

internal sealed record ChatText(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReasoningContent { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ChatToolCall>? ToolCalls { get; init; }
}

internal sealed record ChatUsage(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails);

internal sealed record PromptTokensDetails(int CachedTokens);

internal sealed record ModelList(string Object, IReadOnlyList<ModelEntry> Data);

internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy);

internal sealed record ErrorBody(ErrorObject Error);

internal sealed record ErrorObject(
    string Message,
    string Type,
    string? Param,
    string? Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? NPromptTokens = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? NCtx = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatRequest))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(TextRequest))]
[JsonSerializable(typeof(TextCompletion))]
[JsonSerializable(typeof(EmbeddingRequest))]
[JsonSerializable(typeof(EmbeddingList))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelEntry))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
internal sealed partial class OpenAiJson : JsonSerializerContext;
