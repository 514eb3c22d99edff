using System.Text.Json;
using System.Text.Json.Serialization;
using Herd.Gateway.OpenAi;

namespace Herd.Gateway.Ollama;

/// <summary>The body of POST /api/chat and /api/generate. Unknown fields are ignored.</summary>
internal sealed record OllamaRequest
{
    public string? Model { get; init; }

    public IReadOnlyList<OllamaMessage>? Messages { get; init; }

    /// <summary>The text that /api/generate continues.</summary>
    public string? Prompt { get; init; }

    public string? System { get; init; }

    /// <summary>True if the prompt is used without the chat template.</summary>
    public bool? Raw { get; init; }

    /// <summary>Default true.</summary>
    public bool? Stream { get; init; }

    /// <summary>"json", or a JSON schema.</summary>
    public JsonElement? Format { get; init; }

    public IReadOnlyList<ChatTool>? Tools { get; init; }

    public OllamaOptions? Options { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

internal sealed record OllamaMessage
{
    public string? Role { get; init; }

    public string? Content { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Thinking { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OllamaToolCall>? ToolCalls { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Images { get; init; }
}

internal sealed record OllamaToolCall(OllamaFunction? Function);

internal sealed record OllamaFunction(string? Name, JsonElement? Arguments);

internal sealed record OllamaOptions
{
    public float? Temperature { get; init; }

    public int? TopK { get; init; }

    public float? TopP { get; init; }

    public float? MinP { get; init; }

    public float? TypicalP { get; init; }

    public long? Seed { get; init; }

    public int? NumPredict { get; init; }

    /// <summary>A text, or an array of texts.</summary>
    public JsonElement? Stop { get; init; }

    public float? RepeatPenalty { get; init; }

    public float? PresencePenalty { get; init; }

    public float? FrequencyPenalty { get; init; }
}

/// <summary>A line of an answer. The last one has the durations in nanoseconds and the numbers of tokens.</summary>
internal sealed record OllamaReply(string Model, string CreatedAt, bool Done)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OllamaMessage? Message { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Response { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Thinking { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DoneReason { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? TotalDuration { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? LoadDuration { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PromptEvalCount { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? PromptEvalDuration { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? EvalCount { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? EvalDuration { get; init; }
}

internal sealed record OllamaEmbedRequest(string? Model, JsonElement? Input);

internal sealed record OllamaEmbeddings(string Model, IReadOnlyList<float[]> Embeddings, int PromptEvalCount);

internal sealed record OllamaError(string Error);

internal sealed record OllamaVersion(string Version);

internal sealed record OllamaModels(IReadOnlyList<OllamaModel> Models);

internal sealed record OllamaModel(
    string Name, string Model, string ModifiedAt, long Size, string Digest, OllamaDetails Details)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ExpiresAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SizeVram { get; init; }
}

internal sealed record OllamaDetails(string Format, string Family, string ParameterSize, string QuantizationLevel)
{
    public string ParentModel { get; } = "";

    public IReadOnlyList<string> Families => [Family];
}

internal sealed record OllamaShowRequest(string? Model, string? Name);

internal sealed record OllamaShow(
    string Modelfile,
    string Parameters,
    string Template,
    OllamaDetails Details,
    IReadOnlyDictionary<string, JsonElement> ModelInfo,
    IReadOnlyList<string> Capabilities);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OllamaRequest))]
[JsonSerializable(typeof(OllamaReply))]
[JsonSerializable(typeof(OllamaError))]
[JsonSerializable(typeof(OllamaEmbedRequest))]
[JsonSerializable(typeof(OllamaEmbeddings))]
[JsonSerializable(typeof(OllamaVersion))]
[JsonSerializable(typeof(OllamaModels))]
[JsonSerializable(typeof(OllamaShowRequest))]
[JsonSerializable(typeof(OllamaShow))]
[JsonSerializable(typeof(int))]
internal sealed partial class OllamaJson : JsonSerializerContext;
