namespace Herd.Gateway.Answers;

/// <summary>A part of an answer: of a thought, of the text, or a call. One of the three is set.</summary>
internal sealed record AnswerPart(string? Thought = null, string? Text = null, ToolCall? Call = null);

/// <summary>A call of a function.</summary>
/// <param name="Id">The call's id. The message with the call's result refers to it.</param>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">The arguments: a JSON object, as the model wrote it.</param>
internal sealed record ToolCall(string Id, string Name, string Arguments);
