namespace Herd.Inference.Kv;

/// <summary>A sequence of the context: the KV cache of one session at a time.</summary>
internal sealed class KvSlot(int id)
{
    public int Id { get; } = id;

    /// <summary>Whose cache it is; null when nobody's.</summary>
    public string? Session { get; set; }

    public string Tenant { get; set; } = "";

    /// <summary>What a router may know the beginning by; see <see cref="KvAllocation.Prefix"/>.</summary>
    public ulong Prefix { get; set; }

    /// <summary>The tokens whose keys and values it holds.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Who is extending it; null when idle.</summary>
    public KvAllocation? Owner { get; set; }

    /// <summary>Who made way, and will go on as soon as there is a slot.</summary>
    public KvAllocation? Preempted { get; set; }

    /// <summary>How many tokens it had when a copy was last offloaded while it was idle; 0 after every use.</summary>
    public int SavedTokens { get; set; }

    /// <summary>When it was used last, as a timestamp.</summary>
    public long LastUsed { get; set; }
}
