using System.Text.Json.Serialization;

namespace Herd.Contracts.Conversations;

/// <summary>A function that the model may ask the caller to call.</summary>
/// <param name="Name">1 to 64 letters, digits, '_' and '-'.</param>
/// <param name="Description">What it does; null when nobody said.</param>
/// <param name="Parameters">A JSON schema of its arguments; null means that it has none.</param>
/// <param name="IsStrict">Whether a schema that cannot be kept is refused; else it is kept as far as it can be.</param>
[GenerateSerializer, Immutable, Alias("herd.Tool")]
public sealed record Tool(
    [property: Id(0), JsonPropertyName("name")] string Name,
    [property: Id(1), JsonPropertyName("description")] string? Description = null,
    [property: Id(2), JsonPropertyName("parameters")] string? Parameters = null,
    [property: Id(3), JsonPropertyName("is_strict")] bool IsStrict = false);

/// <summary>Whether the model must call a function.</summary>
/// <param name="IsRequired">It calls one, whatever is said.</param>
/// <param name="Name">Which one; null leaves that to the model.</param>
[GenerateSerializer, Immutable, Alias("herd.ToolChoice")]
public sealed record ToolChoice(
    [property: Id(0), JsonPropertyName("is_required")] bool IsRequired,
    [property: Id(1), JsonPropertyName("name")] string? Name = null);

/// <summary>How a model marks up what it says. The numbers are a contract.</summary>
[Flags]
public enum AnswerMarkup
{
    /// <summary>Calls stand between tool_call tags, each a JSON object with name and arguments.</summary>
    None = 0,

    /// <summary>An answer that is a JSON object with name and parameters is a call.</summary>
    BareCalls = 1,

    /// <summary>What is thought before the answer stands between think tags.</summary>
    Thinks = 2,

    /// <summary>The prompt has opened the thought already.</summary>
    BeginsThinking = 4,
}
