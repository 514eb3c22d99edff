using Herd.Inference.Generation;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Kv.Slots;

namespace Herd.Inference.Kv;

/// <summary>A sequence's request for a slot of the KV cache, and its result.</summary>
/// <param name="session">The session that it extends.</param>
/// <param name="tenant">The tenant whose sessions it may share prefixes with.</param>
/// <param name="prefix">The digest of the prefix, for a router; 0 if there is none.</param>
/// <param name="tokens">The tokens to have in the cache. The list grows with the answer.</param>
internal sealed class KvAllocation(string session, string tenant, ulong prefix, List<int> tokens)
{
    public string Session => session;

    public string Tenant => tenant;

    public ulong Prefix => prefix;

    public List<int> Tokens => tokens;

    /// <summary>The slot it extends; null while it waits.</summary>
    public KvSlot? Slot { get; set; }

    /// <summary>The state that stays in host memory until the allocation gets its slot.</summary>
    public OffloadedSession? Awaits { get; set; }

    /// <summary>When it began to wait for the disk, as a timestamp; null if it does not wait for it.</summary>
    public long? WaitsForDiskSince { get; set; }

    /// <summary>The source of the tokens that its slot held at first.</summary>
    public PrefixSource PrefixSource { get; set; }

    /// <summary>The time that restoring those tokens took.</summary>
    public TimeSpan Restore { get; set; }

    /// <summary>Tokens that are not in the cache yet.</summary>
    public int Pending => tokens.Count - Slot!.Tokens.Count;
}
