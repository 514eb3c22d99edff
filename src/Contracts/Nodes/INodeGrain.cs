namespace Herd.Contracts.Nodes;

/// <summary>One GPU node. Keyed by the node's name; activated on that node.</summary>
[Alias("herd.INodeGrain")]
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>The address of the node's link, its own port for reports and KV transfers.</summary>
    [Alias("LinkAddress")]
    Task<string> LinkAddress();

    /// <summary>Sessions of a model that have rested for a while and can migrate, most recently used first.</summary>
    [Alias("RestingSessions")]
    Task<IReadOnlyList<RestingSession>> RestingSessions(string model);

    /// <summary>The tokens of a text in a model's vocabulary, none of them control tokens.</summary>
    [Alias("Tokenize")]
    Task<IReadOnlyList<int>> Tokenize(string model, string text);

    /// <summary>The text of tokens; invalid UTF-8 becomes U+FFFD.</summary>
    [Alias("Detokenize")]
    Task<string> Detokenize(string model, IReadOnlyList<int> tokens);

    /// <summary>The text of tokens, control tokens by their names.</summary>
    [Alias("Show")]
    Task<string> Show(string model, IReadOnlyList<int> tokens);

    /// <summary>The vectors of texts, each of length 1.</summary>
    [Alias("Embed")]
    Task<Embeddings> Embed(string model, IReadOnlyList<string> texts);

    /// <summary>The tokens of the prompt for a history.</summary>
    [Alias("Prompt")]
    Task<IReadOnlyList<int>> Prompt(
        string model, IReadOnlyList<HistoryMessage> messages, Conversations.GenerationSettings settings);

    /// <summary>The load that a drain would move.</summary>
    [Alias("PreviewDrain")]
    Task<DrainPreview> PreviewDrain(CancellationToken cancellation);

    /// <summary>
    /// Begins to exchange the model, and returns: the file is checked, the node drained, the model loaded. The node's
    /// report has the stage and the outcome (<see cref="NodeReport.Load"/>).
    /// </summary>
    /// <param name="model">An id of the node's catalog, or a file that it may load; empty serves none.</param>
    [Alias("Serve")]
    Task Serve(string model);

    /// <summary>Facts about the node's process and machine, for diagnosis.</summary>
    [Alias("Inspect")]
    Task<NodeFacts> Inspect();

    /// <summary>
    /// Drains the node, whose process stays, not ready, until it is ended. The caller repeats the call: without one in
    /// half a minute the node serves again.
    /// </summary>
    /// <returns>True if the node is empty.</returns>
    [Alias("Retire")]
    Task<bool> Retire();

    /// <summary>
    /// Begins to drain the node; its process ends when the node is empty. Repeating the call changes nothing.
    /// </summary>
    [Alias("Drain")]
    Task Drain();
}

/// <summary>The vectors of texts.</summary>
/// <param name="Vectors">One for each, in order.</param>
/// <param name="Tokens">Tokens of all texts.</param>
[GenerateSerializer, Immutable, Alias("herd.Embeddings")]
public sealed record Embeddings([property: Id(0)] IReadOnlyList<float[]> Vectors, [property: Id(1)] int Tokens);

/// <summary>The state of a node. The numbers are a contract.</summary>
public enum NodeState
{
    Loading = 1,
    Ready = 2,
    Draining = 3,
    Lost = 4,

    /// <summary>There is work, but no step ends.</summary>
    Stalled = 5,
}

/// <summary>The state and load of a node, as the node reports it.</summary>
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

    /// <summary>The https address of its link; empty if it has none.</summary>
    [Id(6)] public string Link { get; init; } = "";

    /// <summary>The latest load of a model; null from a node of an older version.</summary>
    [Id(7)] public ModelLoad? Load { get; init; }
}

/// <summary>The load that a drain of a node would move.</summary>
/// <param name="Streams">Running answers; each continues on another node behind its latest token.</param>
/// <param name="Sessions">Sessions at rest.</param>
/// <param name="Bytes">The approximate size of their KV caches.</param>
/// <param name="Seconds">The approximate time of the transfers, by the measured rates.</param>
[GenerateSerializer, Immutable, Alias("herd.DrainPreview")]
public sealed record DrainPreview(
    [property: Id(0)] int Streams,
    [property: Id(1)] int Sessions,
    [property: Id(2)] long Bytes,
    [property: Id(3)] double Seconds);

/// <summary>A model that a node serves, with its load.</summary>
[GenerateSerializer, Immutable, Alias("herd.ServedModel")]
public sealed record ServedModel
{
    [Id(0)] public required string Id { get; init; }

    [Id(1)] public required string Description { get; init; }

    /// <summary>The context of a conversation, in tokens.</summary>
    [Id(2)] public required int ContextTokens { get; init; }

    /// <summary>The model's recommended settings.</summary>
    [Id(3)] public required Conversations.GenerationSettings Defaults { get; init; }

    [Id(4)] public int Slots { get; init; }

    [Id(5)] public int Active { get; init; }

    [Id(6)] public int Queued { get; init; }

    [Id(7)] public int Sessions { get; init; }

    [Id(8)] public long KvTokens { get; init; }

    [Id(9)] public long KvCapacity { get; init; }

    /// <summary>The engine's load and rates, for estimates; null from an older node.</summary>
    [Id(10)] public EngineFigures? Figures { get; init; }

    /// <summary>The markup of its answers.</summary>
    [Id(11)] public Conversations.AnswerMarkup Markup { get; init; }

    /// <summary>The measured characters of a token of recent prompts; 0 if unknown.</summary>
    [Id(12)] public double CharactersPerToken { get; init; }

    /// <summary>The tokens that the chat template adds to a message.</summary>
    [Id(13)] public int TokensPerMessage { get; init; }
}
