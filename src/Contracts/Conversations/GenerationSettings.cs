namespace Herd.Contracts.Conversations;

/// <summary>How an answer is generated. Null means what the model recommends.</summary>
[GenerateSerializer, Immutable, Alias("herd.GenerationSettings")]
public sealed record GenerationSettings
{
    /// <summary>0 to 2.</summary>
    [Id(0)] public float? Temperature { get; init; }

    /// <summary>0 or more; 0 means all.</summary>
    [Id(1)] public int? TopK { get; init; }

    /// <summary>Above 0, to 1.</summary>
    [Id(2)] public float? TopP { get; init; }

    /// <summary>0 to 1.</summary>
    [Id(3)] public float? MinP { get; init; }

    /// <summary>Chosen when the turn is stored, if the caller did not.</summary>
    [Id(4)] public ulong? Seed { get; init; }

    /// <summary>1 or more; null means to the end of the context.</summary>
    [Id(5)] public int? MaxTokens { get; init; }

    [Id(6)] public IReadOnlyList<string> Stops { get; init; } = [];
}
