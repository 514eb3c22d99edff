namespace Herd.Load.Targets;

/// <summary>The target of a load.</summary>
internal interface ITarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Answers the last message of a conversation, token by token.</summary>
    /// <param name="conversation">The history. The answer is appended.</param>
    /// <param name="tokens">The length of the answer; an earlier end is ignored.</param>
    Task<Turn> Answer(Conversation conversation, int tokens);
}

/// <summary>The history of a conversation, as a client keeps it.</summary>
internal sealed class Conversation(string id, string system)
{
    public string Id => id;

    public List<Message> Messages { get; } = [new("system", system)];
}

/// <param name="Role">The speaker.</param>
/// <param name="Text">The text.</param>
/// <param name="Tokens">The tokens of an answer, if the target returns them; null otherwise.</param>
internal sealed record Message(string Role, string Text, IReadOnlyList<int>? Tokens = null);

/// <summary>The times of a turn, in seconds from its begin.</summary>
internal sealed record Turn
{
    /// <summary>The time of each token.</summary>
    public required double[] Arrivals { get; init; }

    public required double Total { get; init; }

    public int PromptTokens { get; init; }

    public int CachedTokens { get; init; }

    public double FirstToken => Arrivals[0];

    /// <summary>The times between tokens.</summary>
    public IEnumerable<double> Gaps => Arrivals.Zip(Arrivals.Skip(1), (one, next) => next - one);
}
