namespace Herd.Inference.Generation;

/// <summary>How an engine shares itself out.</summary>
public sealed record EngineOptions
{
    /// <summary>Most requests that may wait for a slot, 0 or more. Default 256.</summary>
    public int MaxQueued { get; init; } = 256;

    /// <summary>
    /// How much longer a step may take when prompts are computed beside sequences that decode, as a multiple of a step without
    /// prompts; above 1. Default 1.8.
    /// </summary>
    public double MaxStretch { get; init; } = 1.8;

    /// <summary>
    /// Tokens of an answer after which its slot may be given to one that has just begun, 1 or more. Default 16
    /// (docs/decisions/stints.md).
    /// </summary>
    public int Quantum { get; init; } = 16;

    /// <summary>
    /// Virtual tokens by which a tenant may have been served more than another before it makes way. Default 1024.
    /// </summary>
    public long FairnessMargin { get; init; } = 1024;

    /// <summary>How long a request waits, whoever else comes, before it goes first. Default 30 s.</summary>
    public TimeSpan StarvationLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Threads that sample; 0 means every core. Default 0.</summary>
    public int SamplingThreads { get; init; }

    /// <summary>Whether tokens are guessed from what was said before, where that pays. Default true.</summary>
    public bool Speculate { get; init; } = true;

    /// <summary>Who runs the loop. Default a thread of its own.</summary>
    public IEngineRunner Runner { get; init; } = new EngineThread();

    /// <summary>Where KV caches may lie besides the device.</summary>
    public Kv.KvOptions Kv { get; init; } = new();
}
