using System.Text.Json.Serialization;

namespace Herd.Contracts.Conversations;

/// <summary>A function that the model may ask the caller to call.</summary>
/// <param name="Name">1 to 64 letters, digits, '_' and '-'.</param>
/// <param name="Description">A description for the model; null if the caller gave none.</param>
/// <param name="Parameters">A JSON schema of its arguments; null means no arguments.</param>
/// <param name="IsStrict">True refuses a schema that cannot be enforced; false enforces what can be.</param>
[GenerateSerializer, Immutable, Alias("herd.Tool")]
public sealed record Tool(
    [property: Id(0), JsonPropertyName("name")] string Name,
    [property: Id(1), JsonPropertyName("description")] string? Description = null,
    [property: Id(2), JsonPropertyName("parameters")] string? Parameters = null,
    [property: Id(3), JsonPropertyName("is_strict")] bool IsStrict = false);

/// <summary>The rule whether the model must call a function.</summary>
/// <param name="IsRequired">True if the model must call a function.</param>
/// <param name="Name">The function that it must call; null lets the model choose.</param>
[GenerateSerializer, Immutable, Alias("herd.ToolChoice")]
public sealed record ToolChoice(
    [property: Id(0), JsonPropertyName("is_required")] bool IsRequired,
    [property: Id(1), JsonPropertyName("name")] string? Name = null);

/// <summary>The markup of calls and thoughts in a model's answers. The numbers are a contract.</summary>
[Flags]
public enum AnswerMarkup
{
    /// <summary>Calls stand between tool_call tags, each a JSON object with name and arguments.</summary>
    None = 0,

    /// <summary>An answer that is a JSON object with name and parameters is a call.</summary>
    BareCalls = 1,

    /// <summary>Thoughts come before the answer, between think tags.</summary>
    Thinks = 2,

    /// <summary>The prompt ends with an open think tag.</summary>
    BeginsThinking = 4,
}
