namespace Herd.Inference.Generation;

/// <summary>How busy an engine is, and what a router needs to foresee how it would fare there.</summary>
public sealed record EngineLoad
{
    /// <summary>A prompt of which no more tokens are to be computed is computed in one step, whatever lies beside it.</summary>
    public const int ShortPromptTokens = 48;

    /// <summary>Sequences that can be computed side by side.</summary>
    public required int Slots { get; init; }

    /// <summary>Sequences that are being computed.</summary>
    public int Active { get; init; }

    /// <summary>Sequences that wait for a slot.</summary>
    public int Queued { get; init; }

    /// <summary>Tokens of prompts that are still to be computed; of those that wait, what is at hand of their sessions is not counted.</summary>
    public int PrefillTokens { get; init; }

    /// <summary>Seconds that these take, beside what is decoded.</summary>
    public double PrefillSeconds { get; init; }

    /// <summary>Seconds that a prompt of <see cref="ShortPromptTokens"/> takes that comes now, beside what is decoded.</summary>
    public double ShortPromptSeconds { get; init; }

    /// <summary>Sessions whose KV cache is on the device.</summary>
    public int Sessions { get; init; }

    /// <summary>Tokens in these caches.</summary>
    public long KvTokens { get; init; }

    /// <summary>Tokens that fit.</summary>
    public long KvCapacity { get; init; }

    /// <summary>Sessions that are offloaded, in host memory or on disk.</summary>
    public int OffloadedSessions { get; init; }

    /// <summary>Bytes of offloaded sessions in host memory.</summary>
    public long HostBytes { get; init; }

    /// <summary>Bytes of offloaded sessions on disk.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Bytes of KV cache a token has; 0 until one was measured.</summary>
    public double BytesPerToken { get; init; }

    /// <summary>Tokens a second that prefill computes when nothing else is computed, as measured.</summary>
    public double PrefillRate { get; init; }

    /// <summary>Tokens a second that a prompt is computed with that comes now, beside what is decoded.</summary>
    public double PromptRate { get; init; }

    /// <summary>Tokens a second that all sequences produce together, as measured.</summary>
    public double DecodeRate { get; init; }

    /// <summary>Bytes a second from host memory to the device, as measured.</summary>
    public double RestoreRate { get; init; }

    /// <summary>Bytes a second from disk to host memory, as measured.</summary>
    public double DiskRate { get; init; }

    /// <summary>
    /// How long the last session that lost its slot had been idle. Those idle for less have theirs still, if the engine is that
    /// old.
    /// </summary>
    public TimeSpan DeviceKeptFor { get; init; }

    /// <summary>The same of host memory.</summary>
    public TimeSpan HostKeptFor { get; init; }

    /// <summary>The same of the disk.</summary>
    public TimeSpan DiskKeptFor { get; init; }

    /// <summary>How long the session had been idle that was dropped from the last tier below the device, within the last minute; null when none was.</summary>
    public TimeSpan? ForgottenIdle { get; init; }

    /// <summary>What the sessions at hand begin with; see <see cref="GenerationRequest.Prefix"/>. Each once, at most 256.</summary>
    public IReadOnlyList<ulong> Prefixes { get; init; } = [];
}
