namespace Herd.Inference.Generation;

/// <summary>The load of an engine, with the rates from which a router estimates the time of a prompt there.</summary>
public sealed record EngineLoad
{
    /// <summary>
    /// A prompt with at most so many tokens to compute is computed in one step, together with any decoding.
    /// </summary>
    public const int ShortPromptTokens = 48;

    /// <summary>The maximum number of sequences that run at once.</summary>
    public required int Slots { get; init; }

    /// <summary>Sequences that run now.</summary>
    public int Active { get; init; }

    /// <summary>Sequences that wait for a slot.</summary>
    public int Queued { get; init; }

    /// <summary>
    /// Prompt tokens still to compute. Tokens of waiting requests that are in a KV cache here do not count.
    /// </summary>
    public int PrefillTokens { get; init; }

    /// <summary>Estimated seconds to compute <see cref="PrefillTokens"/> while the running sequences decode.</summary>
    public double PrefillSeconds { get; init; }

    /// <summary>
    /// Estimated seconds for a new prompt of <see cref="ShortPromptTokens"/> while the running sequences decode.
    /// </summary>
    public double ShortPromptSeconds { get; init; }

    /// <summary>
    /// Tokens a second of all prompts together beside the decoding, measured in recent steps; estimated for the next
    /// prompt if none is pending.
    /// </summary>
    public double PromptsRate { get; init; }

    /// <summary>Estimated seconds of a step with a part of a long prompt.</summary>
    public double StepSeconds { get; init; }

    /// <summary>The unfinished sequences by tenant and class.</summary>
    public IReadOnlyList<TenantLoad> Tenants { get; init; } = [];

    /// <summary>When the load was measured, as a timestamp.</summary>
    public long At { get; init; }

    /// <summary>Sessions whose KV cache is on the device.</summary>
    public int Sessions { get; init; }

    /// <summary>Tokens in the KV caches on the device.</summary>
    public long KvTokens { get; init; }

    /// <summary>The maximum number of tokens in the KV caches on the device.</summary>
    public long KvCapacity { get; init; }

    /// <summary>Sessions offloaded to host memory or to disk.</summary>
    public int OffloadedSessions { get; init; }

    /// <summary>Bytes of offloaded sessions in host memory.</summary>
    public long HostBytes { get; init; }

    /// <summary>Bytes of offloaded sessions on disk.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Bytes of KV cache for each token. 0 until measured.</summary>
    public double BytesPerToken { get; init; }

    /// <summary>Measured tokens a second of prefill without any decoding.</summary>
    public double PrefillRate { get; init; }

    /// <summary>Estimated tokens a second of prefill for a new prompt while the running sequences decode.</summary>
    public double PromptRate { get; init; }

    /// <summary>Measured tokens a second that all sequences together decode.</summary>
    public double DecodeRate { get; init; }

    /// <summary>Measured bytes a second from host memory to the device.</summary>
    public double RestoreRate { get; init; }

    /// <summary>Measured bytes a second from disk to host memory.</summary>
    public double DiskRate { get; init; }

    /// <summary>
    /// Idle time of the last session whose slot was taken. A session that was idle for less still has its slot, if the
    /// engine has run for that long.
    /// </summary>
    public TimeSpan DeviceKeptFor { get; init; }

    /// <summary>Idle time of the last session that was removed from host memory.</summary>
    public TimeSpan HostKeptFor { get; init; }

    /// <summary>Idle time of the last session that was removed from disk.</summary>
    public TimeSpan DiskKeptFor { get; init; }

    /// <summary>
    /// Idle time of a session that the last tier dropped within the last minute. Null if none was dropped.
    /// </summary>
    public TimeSpan? ForgottenIdle { get; init; }

    /// <summary>
    /// Distinct prefixes of the sessions here, at most 256. See <see cref="GenerationRequest.Prefix"/>.
    /// </summary>
    public IReadOnlyList<ulong> Prefixes { get; init; } = [];
}
