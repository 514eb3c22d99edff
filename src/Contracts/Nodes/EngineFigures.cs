namespace Herd.Contracts.Nodes;

/// <summary>What a router needs to foresee how a turn would fare on a node. Rates are as measured there of late.</summary>
[GenerateSerializer, Immutable, Alias("herd.EngineFigures")]
public sealed record EngineFigures
{
    /// <summary>Tokens of prompts that are still to be computed.</summary>
    [Id(0)] public int PrefillTokens { get; init; }

    /// <summary>Sessions off the device, in host memory or on disk.</summary>
    [Id(1)] public int OffloadedSessions { get; init; }

    /// <summary>Bytes of KV cache in host memory.</summary>
    [Id(2)] public long HostBytes { get; init; }

    /// <summary>Bytes of KV cache on disk.</summary>
    [Id(3)] public long DiskBytes { get; init; }

    /// <summary>Bytes of KV cache that a token has; 0 until one was measured.</summary>
    [Id(4)] public double BytesPerToken { get; init; }

    /// <summary>Tokens a second of prompts when nothing is decoded beside them.</summary>
    [Id(5)] public double PrefillRate { get; init; }

    /// <summary>Tokens a second of all sequences together.</summary>
    [Id(6)] public double DecodeRate { get; init; }

    /// <summary>Bytes a second from host memory to the device.</summary>
    [Id(7)] public double RestoreRate { get; init; }

    /// <summary>Bytes a second from disk to host memory.</summary>
    [Id(8)] public double DiskRate { get; init; }

    /// <summary>What sessions at hand begin with, as <see cref="PromptPrefix"/> digests it; at most 256.</summary>
    [Id(9)] public IReadOnlyList<ulong> Prefixes { get; init; } = [];

    /// <summary>Seconds: sessions used more recently than this long ago are on the device still, as far as was seen.</summary>
    [Id(10)] public double DeviceIdle { get; init; }

    /// <summary>The same of host memory.</summary>
    [Id(11)] public double HostIdle { get; init; }

    /// <summary>The same of the disk.</summary>
    [Id(12)] public double DiskIdle { get; init; }

    /// <summary>Bytes a second from another node.</summary>
    [Id(13)] public double PullRate { get; init; }

    /// <summary>Seconds that bringing a KV cache from another node takes besides, whatever its size; 0 when it is not known.</summary>
    [Id(14)] public double PullWait { get; init; }

    /// <summary>Tokens a second of a prompt that comes now, beside what is decoded; 0 when it is not known.</summary>
    [Id(15)] public double PromptRate { get; init; }

    /// <summary>Seconds that the session had been idle that was forgotten last, on every tier, within the last minute; 0 when none was.</summary>
    [Id(16)] public double ForgottenIdle { get; init; }

    /// <summary>Seconds until the prompts are computed that are still to be; 0 when there are none, or it is not known.</summary>
    [Id(17)] public double PrefillSeconds { get; init; }

    /// <summary>Seconds that a short prompt takes that comes now: one of at most 48 tokens that are not cached; 0 when it is not known.</summary>
    [Id(18)] public double ShortPromptSeconds { get; init; }
}
