namespace Herd.Gateway.Answers;

/// <summary>A piece of an answer: some of a thought, some of the text, or a call. One of the three is set.</summary>
internal sealed record AnswerPart(string? Thought = null, string? Text = null, ToolCall? Call = null);

/// <summary>A function that the model wants called.</summary>
/// <param name="Id">Names the call in what it came to.</param>
/// <param name="Name">The function.</param>
/// <param name="Arguments">A JSON object, as the model wrote it.</param>
internal sealed record ToolCall(string Id, string Name, string Arguments);
