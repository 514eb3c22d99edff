namespace Herd.Gateway.Answers;

/// <summary>Joins the parts of an answer.</summary>
internal static class AnswerParts
{
    /// <summary>The same answer in fewer parts: adjacent texts become one, and adjacent thoughts too.</summary>
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
