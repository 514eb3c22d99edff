using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Gateway.OpenAi.Responses;

/// <summary>The body of POST /v1/responses.</summary>
internal sealed record ResponseRequest
{
    public string? Model { get; init; }

    /// <summary>A text, or an array of items.</summary>
    public JsonElement? Input { get; init; }

    public string? Instructions { get; init; }

    public string? PreviousResponseId { get; init; }

    /// <summary>The id of a conversation, or an object with it.</summary>
    public JsonElement? Conversation { get; init; }

    public bool? Store { get; init; }

    public bool? Stream { get; init; }

    public bool? Background { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? MaxOutputTokens { get; init; }

    public string? Truncation { get; init; }

    public TextOptions? Text { get; init; }

    public IReadOnlyList<ResponseTool>? Tools { get; init; }

    /// <summary>none, auto, required, or an object that names a function.</summary>
    public JsonElement? ToolChoice { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <param name="Type">function.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Description">The function's description for the model.</param>
/// <param name="Parameters">A JSON schema of the arguments.</param>
/// <param name="Strict">True if a schema that cannot be enforced is refused.</param>
internal sealed record ResponseTool(
    string? Type, string? Name, string? Description = null, JsonElement? Parameters = null, bool? Strict = null);

internal sealed record TextOptions(TextFormat? Format);

/// <param name="Type">text, json_object or json_schema.</param>
/// <param name="Name">The schema's name. It is returned and has no other use.</param>
/// <param name="Schema">The schema, for json_schema.</param>
internal sealed record TextFormat(
    string? Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Schema = null);

/// <summary>A response, with every field that OpenAI's schema requires.</summary>
internal sealed record Response
{
    public required string Id { get; init; }

    public string Object { get; } = "response";

    public required long CreatedAt { get; init; }

    public required string Status { get; init; }

    public ResponseError? Error { get; init; }

    public IncompleteDetails? IncompleteDetails { get; init; }

    public string? Instructions { get; init; }

    public int? MaxOutputTokens { get; init; }

    public required string Model { get; init; }

    public IReadOnlyList<OutputItem> Output { get; init; } = [];

    public bool ParallelToolCalls { get; } = true;

    public string? PreviousResponseId { get; init; }

    public bool Store { get; init; } = true;

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public required TextOptions Text { get; init; }

    public required JsonElement ToolChoice { get; init; }

    public IReadOnlyList<ResponseTool> Tools { get; init; } = [];

    public required string Truncation { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResponseUsage? Usage { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

internal sealed record ResponseError(string Code, string Message);

internal sealed record IncompleteDetails(string Reason);

/// <summary>
/// A message, a call, the result of a call, or a thought. Fields of other types are null and not written.
/// </summary>
internal sealed record OutputItem(string Type, string Id, string Status)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OutputPart>? Content { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CallId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Arguments { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Output { get; init; }

    /// <summary>OpenAI's schema requires a summary with a thought. It is always empty.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Summary { get; init; }
}

internal sealed record OutputPart(string Type, string Text)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Annotations { get; init; }
}

internal sealed record ResponseUsage(
    int InputTokens,
    InputTokensDetails InputTokensDetails,
    int OutputTokens,
    OutputTokensDetails OutputTokensDetails,
    int TotalTokens);

internal sealed record InputTokensDetails(int CachedTokens);

internal sealed record OutputTokensDetails(int ReasoningTokens);

internal sealed record DeletedObject(string Id, string Object)
{
    public bool Deleted { get; } = true;
}

/// <summary>The body of POST /v1/conversations.</summary>
internal sealed record ConversationRequest(
    IReadOnlyList<JsonElement>? Items = null, Dictionary<string, string>? Metadata = null);

internal sealed record ConversationObject(string Id, long CreatedAt, IReadOnlyDictionary<string, string> Metadata)
{
    public string Object { get; } = "conversation";
}

internal sealed record InputItemList(IReadOnlyList<OutputItem> Data, string? FirstId, string? LastId)
{
    public string Object { get; } = "list";

    public bool HasMore { get; }
}

/// <summary>An event of a streamed response. Fields of other types are null and not written.</summary>
internal sealed record ResponseEvent(string Type)
{
    public int SequenceNumber { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Response? Response { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ItemId { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? OutputIndex { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ContentIndex { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OutputItem? Item { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OutputPart? Part { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Delta { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Arguments { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Logprobs { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ResponseRequest))]
[JsonSerializable(typeof(Response))]
[JsonSerializable(typeof(ResponseEvent))]
[JsonSerializable(typeof(InputItemList))]
[JsonSerializable(typeof(DeletedObject))]
[JsonSerializable(typeof(ConversationRequest))]
[JsonSerializable(typeof(ConversationObject))]
internal sealed partial class ResponsesJson : JsonSerializerContext;
