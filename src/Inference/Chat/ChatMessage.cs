namespace Herd.Inference.Chat;

/// <summary>The author of a message.</summary>
public enum ChatRole
{
    System,
    User,
    Assistant,

    /// <summary>The result of a function call of the model.</summary>
    Tool,
}

/// <summary>One message of a conversation.</summary>
/// <param name="Role">The author.</param>
/// <param name="Text">The text. It is never parsed as control tokens.</param>
/// <param name="Tokens">The tokens of an answer of this model, used instead of the text so that they match the KV
/// cache. Null otherwise.</param>
public sealed record ChatMessage(ChatRole Role, string Text, IReadOnlyList<int>? Tokens = null);
