namespace Herd.Inference.Chat;

/// <summary>Who speaks.</summary>
public enum ChatRole
{
    System,
    User,
    Assistant,

    /// <summary>What a function that the model called came to.</summary>
    Tool,
}

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Text">What is said. Never read as control tokens.</param>
/// <param name="Tokens">For an answer of this very model: its tokens, which take the place of the text, so that the KV
/// cache that made them fits. Null otherwise.</param>
public sealed record ChatMessage(ChatRole Role, string Text, IReadOnlyList<int>? Tokens = null);
