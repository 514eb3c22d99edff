namespace Herd.Contracts.Nodes;

/// <summary>
/// The load and rates of an engine, from which routers estimate the time to the first token. Rates are recent
/// measurements.
/// </summary>
[GenerateSerializer, Immutable, Alias("herd.EngineFigures")]
public sealed record EngineFigures
{
    /// <summary>Prompt tokens that are not computed yet.</summary>
    [Id(0)] public int PrefillTokens { get; init; }

    /// <summary>Sessions off the device, in host memory or on disk.</summary>
    [Id(1)] public int OffloadedSessions { get; init; }

    /// <summary>Bytes of KV cache in host memory.</summary>
    [Id(2)] public long HostBytes { get; init; }

    /// <summary>Bytes of KV cache on disk.</summary>
    [Id(3)] public long DiskBytes { get; init; }

    /// <summary>Bytes of KV cache a token; 0 until measured.</summary>
    [Id(4)] public double BytesPerToken { get; init; }

    /// <summary>Prompt tokens a second while nothing is decoded.</summary>
    [Id(5)] public double PrefillRate { get; init; }

    /// <summary>Decoded tokens a second, of all sequences together.</summary>
    [Id(6)] public double DecodeRate { get; init; }

    /// <summary>Bytes a second from host memory to the device.</summary>
    [Id(7)] public double RestoreRate { get; init; }

    /// <summary>Bytes a second from disk to host memory.</summary>
    [Id(8)] public double DiskRate { get; init; }

    /// <summary>Digests of the prefixes of its sessions, by <see cref="PromptPrefix"/>; at most 256.</summary>
    [Id(9)] public IReadOnlyList<ulong> Prefixes { get; init; } = [];

    /// <summary>Sessions idle for fewer seconds than this are on the device, as observed.</summary>
    [Id(10)] public double DeviceIdle { get; init; }

    /// <summary>Sessions idle for fewer seconds than this are in host memory or on the device.</summary>
    [Id(11)] public double HostIdle { get; init; }

    /// <summary>Sessions idle for fewer seconds than this are on disk or in a faster tier.</summary>
    [Id(12)] public double DiskIdle { get; init; }

    /// <summary>Bytes a second from another node.</summary>
    [Id(13)] public double PullRate { get; init; }

    /// <summary>Seconds of a pull that do not depend on its size; 0 if unknown.</summary>
    [Id(14)] public double PullWait { get; init; }

    /// <summary>Prompt tokens a second for a new prompt, beside the current decoding; 0 if unknown.</summary>
    [Id(15)] public double PromptRate { get; init; }

    /// <summary>
    /// Seconds of idleness of the session that was dropped last, from every tier, within the last minute; 0 if none
    /// was.
    /// </summary>
    [Id(16)] public double ForgottenIdle { get; init; }

    /// <summary>Seconds until all queued prompts are computed; 0 if there are none, or if unknown.</summary>
    [Id(17)] public double PrefillSeconds { get; init; }

    /// <summary>Seconds for a new short prompt, one with at most 48 uncached tokens; 0 if unknown.</summary>
    [Id(18)] public double ShortPromptSeconds { get; init; }

    /// <summary>The unfinished sequences by tenant and class; null from a node of an older version.</summary>
    [Id(19)] public IReadOnlyList<TenantQueue>? Queues { get; init; }

    /// <summary>Prompt tokens a second, of all prompts together, beside the current decoding; 0 if unknown.</summary>
    [Id(20)] public double PromptsRate { get; init; }

    /// <summary>The seconds between the measurement of the load and the report.</summary>
    [Id(21)] public double Age { get; init; }

    /// <summary>Seconds of a step with a part of a long prompt; 0 if unknown.</summary>
    [Id(22)] public double StepSeconds { get; init; }
}
