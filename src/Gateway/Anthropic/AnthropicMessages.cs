using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Gateway.Anthropic;

/// <summary>The body of POST /v1/messages and /v1/messages/count_tokens. Unknown fields are ignored.</summary>
internal sealed record MessagesRequest
{
    public string? Model { get; init; }

    public int? MaxTokens { get; init; }

    public IReadOnlyList<MessageParam>? Messages { get; init; }

    /// <summary>A text, or an array of text blocks.</summary>
    public JsonElement? System { get; init; }

    public IReadOnlyList<string>? StopSequences { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public bool? Stream { get; init; }

    public IReadOnlyList<ToolParam>? Tools { get; init; }

    public ToolChoiceParam? ToolChoice { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

internal sealed record MessageParam
{
    public string? Role { get; init; }

    /// <summary>A text, or an array of blocks.</summary>
    public JsonElement? Content { get; init; }
}

internal sealed record ToolParam(
    string? Name,
    string? Type = null,
    string? Description = null,
    JsonElement? InputSchema = null,
    bool? Strict = null);

/// <param name="Type">auto, any, tool or none.</param>
/// <param name="Name">The function, if the type is tool.</param>
internal sealed record ToolChoiceParam(string? Type, string? Name = null);

/// <summary>An answer.</summary>
internal sealed record MessageReply(
    string Id,
    string Model,
    IReadOnlyList<Block> Content,
    string? StopReason,
    string? StopSequence,
    MessageUsage Usage)
{
    public string Type { get; } = "message";

    public string Role { get; } = "assistant";
}

/// <summary>A block of an answer. Fields of other types are null and not written.</summary>
internal sealed record Block(string Type)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Thinking { get; init; }

    /// <summary>Anthropic's schema requires a signature with a thought. It is always empty.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Signature { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Id { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Input { get; init; }
}

/// <param name="InputTokens">The computed tokens of the prompt.</param>
/// <param name="CacheReadInputTokens">The tokens of the prompt that were in the KV cache.</param>
/// <param name="OutputTokens">The tokens of the answer.</param>
internal sealed record MessageUsage(int InputTokens, int CacheReadInputTokens, int OutputTokens)
{
    public int CacheCreationInputTokens { get; }
}

/// <summary>An event of a streamed answer. Fields of other types are null and not written.</summary>
internal sealed record MessageEvent(string Type)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MessageReply? Message { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Index { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Block? ContentBlock { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EventDelta? Delta { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MessageUsage? Usage { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ErrorObject? Error { get; init; }
}

internal sealed record EventDelta
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Type { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Thinking { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PartialJson { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StopReason { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StopSequence { get; init; }
}

internal sealed record TokenCount(int InputTokens);

internal sealed record ErrorBody(string Type, ErrorObject Error);

internal sealed record ErrorObject(string Type, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MessagesRequest))]
[JsonSerializable(typeof(MessageReply))]
[JsonSerializable(typeof(MessageEvent))]
[JsonSerializable(typeof(TokenCount))]
[JsonSerializable(typeof(ErrorBody))]
internal sealed partial class AnthropicJson : JsonSerializerContext;
