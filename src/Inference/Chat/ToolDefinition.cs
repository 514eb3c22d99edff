namespace Herd.Inference.Chat;

/// <summary>A function that the model may call.</summary>
/// <param name="Name">The name: letters, digits, '_' and '-'.</param>
/// <param name="Description">The purpose of the function; null if not given.</param>
/// <param name="Parameters">The JSON schema of its arguments; null if it has none.</param>
/// <param name="IsStrict">True to reject a schema that a grammar cannot enforce.</param>
public sealed record ToolDefinition(
    string Name, string? Description = null, string? Parameters = null, bool IsStrict = false);

/// <summary>The style in which functions are described to a model, and in which it calls them.</summary>
public enum ToolStyle
{
    /// <summary>The system message describes the functions. Calls are as with <see cref="Tagged"/>.</summary>
    Instructed,

    /// <summary>
    /// The template describes them. A call is a JSON object with name and arguments between tool_call tags.
    /// </summary>
    Tagged,

    /// <summary>
    /// The template describes them. A call is an answer that is a JSON object with name and parameters.
    /// </summary>
    Bare,
}
