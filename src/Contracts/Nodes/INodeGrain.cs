namespace Herd.Contracts.Nodes;

/// <summary>One GPU node. Keyed by the node's name; lives on that node.</summary>
[Alias("herd.INodeGrain")]
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>Where the node's link is: the heartbeats and the KV caches, beside Orleans.</summary>
    [Alias("LinkAddress")]
    Task<string> LinkAddress();

    /// <summary>Sessions of a model that could be moved, those used last first: at rest for a while, and held here.</summary>
    [Alias("RestingSessions")]
    Task<IReadOnlyList<RestingSession>> RestingSessions(string model);

    /// <summary>The tokens of a text in a model's vocabulary, none of them control tokens.</summary>
    [Alias("Tokenize")]
    Task<IReadOnlyList<int>> Tokenize(string model, string text);

    /// <summary>The text of tokens; bytes that are no text become U+FFFD.</summary>
    [Alias("Detokenize")]
    Task<string> Detokenize(string model, IReadOnlyList<int> tokens);

    /// <summary>The text of tokens, control tokens by their names.</summary>
    [Alias("Show")]
    Task<string> Show(string model, IReadOnlyList<int> tokens);

    /// <summary>The vectors of texts, each of length 1.</summary>
    [Alias("Embed")]
    Task<Embeddings> Embed(string model, IReadOnlyList<string> texts);

    /// <summary>The prompt that a history amounts to.</summary>
    [Alias("Prompt")]
    Task<IReadOnlyList<int>> Prompt(string model, IReadOnlyList<HistoryMessage> messages, Conversations.GenerationSettings settings);

    /// <summary>What draining would move.</summary>
    [Alias("PreviewDrain")]
    Task<DrainPreview> PreviewDrain(CancellationToken cancellation);

    /// <summary>
    /// Begins to serve another model, after everything was moved off the node. One that cannot be loaded leaves the node without any.
    /// </summary>
    /// <param name="model">An id of the node's catalog, or a file there; empty serves none.</param>
    [Alias("Serve")]
    Task Serve(string model);

    /// <summary>What the node's process and its machine are like.</summary>
    [Alias("Inspect")]
    Task<NodeFacts> Inspect();

    /// <summary>
    /// Empties the node while its process stays, not ready, until it is ended; what is not asked again within half a minute is taken back,
    /// and the node serves again.
    /// </summary>
    /// <returns>Whether nothing is left on it.</returns>
    [Alias("Retire")]
    Task<bool> Retire();

    /// <summary>Begins to drain the node; its process ends when nothing is left on it. Asked again, it changes nothing.</summary>
    [Alias("Drain")]
    Task Drain();
}

/// <summary>The vectors of texts.</summary>
/// <param name="Vectors">One for each, in order.</param>
/// <param name="Tokens">Tokens of all texts.</param>
[GenerateSerializer, Immutable, Alias("herd.Embeddings")]
public sealed record Embeddings([property: Id(0)] IReadOnlyList<float[]> Vectors, [property: Id(1)] int Tokens);

/// <summary>How a node is. The numbers are a contract.</summary>
public enum NodeState
{
    Loading = 1,
    Ready = 2,
    Draining = 3,
    Lost = 4,

    /// <summary>There is something to compute, and no step ends.</summary>
    Stalled = 5,
}

/// <summary>What a node says of itself.</summary>
[GenerateSerializer, Immutable, Alias("herd.NodeReport")]
public sealed record NodeReport
{
    [Id(0)] public required string Node { get; init; }

    [Id(1)] public required NodeState State { get; init; }

    [Id(2)] public required int ProcessId { get; init; }

    [Id(3)] public required string Runtime { get; init; }

    /// <summary>The share of the models that is loaded, 0 to 1.</summary>
    [Id(4)] public float Loaded { get; init; }

    [Id(5)] public IReadOnlyList<ServedModel> Models { get; init; } = [];

    /// <summary>Where its link is, as an https address; empty when it has none.</summary>
    [Id(6)] public string Link { get; init; } = "";
}

/// <summary>What draining a node would move.</summary>
/// <param name="Streams">Answers in the making; each goes on elsewhere at a token's boundary.</param>
/// <param name="Sessions">Sessions at rest.</param>
/// <param name="Bytes">About how much KV cache all of them have.</param>
/// <param name="Seconds">About how long moving that takes, by the rates measured.</param>
[GenerateSerializer, Immutable, Alias("herd.DrainPreview")]
public sealed record DrainPreview(
    [property: Id(0)] int Streams, [property: Id(1)] int Sessions, [property: Id(2)] long Bytes, [property: Id(3)] double Seconds);

/// <summary>A model that a node serves, and how busy it is there.</summary>
[GenerateSerializer, Immutable, Alias("herd.ServedModel")]
public sealed record ServedModel
{
    [Id(0)] public required string Id { get; init; }

    [Id(1)] public required string Description { get; init; }

    /// <summary>Tokens that a conversation can hold.</summary>
    [Id(2)] public required int ContextTokens { get; init; }

    /// <summary>What the model recommends.</summary>
    [Id(3)] public required Conversations.GenerationSettings Defaults { get; init; }

    [Id(4)] public int Slots { get; init; }

    [Id(5)] public int Active { get; init; }

    [Id(6)] public int Queued { get; init; }

    [Id(7)] public int Sessions { get; init; }

    [Id(8)] public long KvTokens { get; init; }

    [Id(9)] public long KvCapacity { get; init; }

    /// <summary>What a router foresees from; null from a node that does not tell yet.</summary>
    [Id(10)] public EngineFigures? Figures { get; init; }

    /// <summary>How its answers are to be read.</summary>
    [Id(11)] public Conversations.AnswerMarkup Markup { get; init; }
}
