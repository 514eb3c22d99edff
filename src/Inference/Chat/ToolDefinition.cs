namespace Herd.Inference.Chat;

/// <summary>A function that the model may ask to be called.</summary>
/// <param name="Name">Letters, digits, '_' and '-'.</param>
/// <param name="Description">What it does; null when nobody said.</param>
/// <param name="Parameters">A JSON schema of its arguments; null means that it has none.</param>
/// <param name="IsStrict">Whether a schema that a grammar cannot keep is refused.</param>
public sealed record ToolDefinition(string Name, string? Description = null, string? Parameters = null, bool IsStrict = false);

/// <summary>How a model is shown functions, and how it calls them.</summary>
public enum ToolStyle
{
    /// <summary>Its template knows none: it is told in the system message. Calls as with <see cref="Tagged"/>.</summary>
    Instructed,

    /// <summary>By its template. A call is a JSON object with name and arguments, between tool_call tags.</summary>
    Tagged,

    /// <summary>By its template. An answer that is a JSON object with name and parameters is a call.</summary>
    Bare,
}
