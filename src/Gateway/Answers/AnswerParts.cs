namespace Herd.Gateway.Answers;

/// <summary>What is done with the parts of an answer as a whole.</summary>
internal static class AnswerParts
{
    /// <summary>The same answer in fewer parts: texts, and thoughts, that follow each other as one.</summary>
    public static IReadOnlyList<AnswerPart> Joined(this IEnumerable<AnswerPart> parts)
    {
        var joined = new List<AnswerPart>();
        foreach (var part in parts)
        {
            if (part.Text is { } text && joined is [.., { Text: { } before }])
            {
                joined[^1] = new AnswerPart(Text: before + text);
            }
            else if (part.Thought is { } thought && joined is [.., { Thought: { } earlier }])
            {
                joined[^1] = new AnswerPart(Thought: earlier + thought);
            }
            else
            {
                joined.Add(part);
            }
        }

        return joined;
    }
}
