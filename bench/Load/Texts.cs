namespace Herd.Load;

/// <summary>The texts of the scenes. The same seed gives the same text.</summary>
internal static class Texts
{
    private static readonly string[] Words =
    [
        "river", "market", "engine", "garden", "winter", "letter", "bridge", "teacher", "music", "harbour", "stone",
        "forest", "kitchen", "window", "village", "journey", "silver", "morning", "captain", "library",
    ];

    /// <summary>The system message of every conversation, about 170 tokens.</summary>
    public static string System { get; } =
        "You are a patient guide in a large museum of science and history. Visitors of every age ask you "
        + "about the exhibits, the building and the people who worked here. Answer in plain words and complete "
        + "sentences. Begin with the fact that was asked for, then give one detail that makes it easy to "
        + "remember. When a question is about a date, name the year and the century. When it is about a person, "
        + "say where they lived and what they are known for. When it is about a machine, explain what it was "
        + "built to do before you explain how it works. Never invent an exhibit that the museum does not have. "
        + "If you do not know something, say so and name the desk where the visitor can ask. Keep a friendly "
        + "tone, avoid jokes about the visitors, and do not give opinions on politics. Close with a short "
        + "question that invites the visitor to look at the next room of the exhibition.";

    /// <summary>A question of about this many words.</summary>
    public static string Question(int seed, int words = 12)
    {
        var random = new Random(seed);
        return $"Question {seed}: tell me about the "
            + string.Join(
                " and the ",
                Enumerable.Range(0, Math.Max(1, words / 3)).Select(_ => Words[random.Next(Words.Length)]))
            + ", please.";
    }

    /// <summary>A long text without repeats that a cache could use.</summary>
    public static string Long(int seed, int words)
    {
        var random = new Random(seed);
        return string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));
    }
}
