namespace Herd.Contracts.Nodes;

/// <summary>The latest load of a model on a node, or its unload.</summary>
[GenerateSerializer, Immutable, Alias("herd.ModelLoad")]
public sealed record ModelLoad
{
    /// <summary>Counts the loads of the node's process, from 1.</summary>
    [Id(0)] public required int Number { get; init; }

    /// <summary>The id that the model is served under; empty for an unload.</summary>
    [Id(1)] public required string Model { get; init; }

    [Id(2)] public required LoadStage Stage { get; init; }

    /// <summary>When the stage began, by the node's clock.</summary>
    [Id(3)] public required DateTimeOffset Since { get; init; }

    /// <summary>The reason why it failed; null otherwise.</summary>
    [Id(4)] public string? Failure { get; init; }

    public bool IsOver => Stage is LoadStage.Served or LoadStage.Failed;
}

/// <summary>The stages of a load, in their order. The numbers are a contract.</summary>
public enum LoadStage
{
    /// <summary>The file is read and checked. The node serves as before.</summary>
    Checking = 1,

    /// <summary>The answers and sessions of the model before move to other nodes.</summary>
    Draining = 2,

    /// <summary>The weights are loaded, and the model warms up.</summary>
    Loading = 3,

    /// <summary>It is served; of an unload: nothing is.</summary>
    Served = 4,

    /// <summary>It failed. A file that failed its check changed nothing; later the node serves no model.</summary>
    Failed = 5,
}
