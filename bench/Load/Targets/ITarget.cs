namespace Herd.Load.Targets;

/// <summary>What a load is put on.</summary>
internal interface ITarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Says something in a conversation and takes the answer, token by token.</summary>
    /// <param name="conversation">Its history; the answer is added.</param>
    /// <param name="tokens">How long the answer is to be; its end is ignored.</param>
    Task<Turn> Say(Conversation conversation, int tokens);
}

/// <summary>A conversation as a client keeps it.</summary>
internal sealed class Conversation(string id, string system)
{
    public string Id => id;

    public List<Message> Messages { get; } = [new("system", system)];
}

/// <param name="Role">Who speaks.</param>
/// <param name="Text">What is said.</param>
/// <param name="Tokens">Of an answer: its tokens, where the target tells them.</param>
internal sealed record Message(string Role, string Text, IReadOnlyList<int>? Tokens = null);

/// <summary>What a turn took, in seconds from its beginning.</summary>
internal sealed record Turn
{
    /// <summary>When each token came.</summary>
    public required double[] Arrivals { get; init; }

    public required double Total { get; init; }

    public int PromptTokens { get; init; }

    public int CachedTokens { get; init; }

    public double FirstToken => Arrivals[0];

    /// <summary>From each token to the next.</summary>
    public IEnumerable<double> Gaps => Arrivals.Zip(Arrivals.Skip(1), (one, next) => next - one);
}
