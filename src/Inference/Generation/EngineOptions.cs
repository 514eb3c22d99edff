namespace Herd.Inference.Generation;

/// <summary>Limits and scheduling of an engine.</summary>
public sealed record EngineOptions
{
    /// <summary>The maximum number of requests that may wait for a slot, 0 or more. Default 256.</summary>
    public int MaxQueued { get; init; } = 256;

    /// <summary>
    /// The maximum time of a step with prefill and decoding, as a multiple of the time of a step that only decodes.
    /// Above 1. Default 1.8.
    /// </summary>
    public double MaxStepSlowdown { get; init; } = 1.8;

    /// <summary>
    /// The quantum: a sequence may be preempted by one that has just begun after so many tokens, 1 or more. Default 16
    /// (docs/decisions/quantum.md).
    /// </summary>
    public int Quantum { get; init; } = 16;

    /// <summary>
    /// A tenant's sequence may be preempted when the tenant was served this many virtual tokens more than the other
    /// tenant, 0 or more. Default 1024. See <see cref="Fairness"/>.
    /// </summary>
    public long FairnessMargin { get; init; } = 1024;

    /// <summary>A request that has waited for this long gets the next slot before all others. Default 30 s.</summary>
    public TimeSpan StarvationLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Threads that sample. 0 means one for each core. Default 0.</summary>
    public int SamplingThreads { get; init; }

    /// <summary>True to verify draft tokens from prompt lookup where that saves time. Default true.</summary>
    public bool Speculate { get; init; } = true;

    /// <summary>Runs the loop. Default: a thread of its own.</summary>
    public IEngineRunner Runner { get; init; } = new EngineThread();

    /// <summary>Settings of the tiers for offloaded KV caches.</summary>
    public Kv.KvOptions Kv { get; init; } = new();
}
