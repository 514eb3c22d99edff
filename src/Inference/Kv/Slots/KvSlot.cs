namespace Herd.Inference.Kv.Slots;

/// <summary>A sequence of the context: the KV cache of one session at a time.</summary>
internal sealed class KvSlot(int id)
{
    public int Id { get; } = id;

    /// <summary>The session whose cache it is; null if it is empty.</summary>
    public string? Session { get; set; }

    public string Tenant { get; set; } = "";

    /// <summary>The digest of the prefix, for a router; see <see cref="KvAllocation.Prefix"/>.</summary>
    public ulong Prefix { get; set; }

    /// <summary>The tokens whose keys and values it holds.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>The allocation that extends it; null if it is idle.</summary>
    public KvAllocation? Allocation { get; set; }

    /// <summary>The preempted allocation, which resumes as soon as a slot is free.</summary>
    public KvAllocation? Preempted { get; set; }

    /// <summary>True if it is emptied as soon as it is idle, because its session was forgotten meanwhile.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Tokens of the copy that was last offloaded; 0 if the slot changed since.</summary>
    public int SavedTokens { get; set; }

    /// <summary>The time of its last use, as a timestamp.</summary>
    public long LastUsed { get; set; }
}
