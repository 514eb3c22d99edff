namespace Herd.Inference.Generation;

/// <summary>Limits of an engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Most requests that may wait for a slot, 0 or more. Default 256.</summary>
    public int MaxQueued { get; init; } = 256;
}
