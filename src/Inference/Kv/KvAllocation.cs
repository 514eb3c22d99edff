using Herd.Inference.Generation;

namespace Herd.Inference.Kv;

/// <summary>What a sequence wants of the KV cache, and what it got.</summary>
/// <param name="session">Whose cache it extends.</param>
/// <param name="tenant">Whose sessions it may share beginnings with.</param>
/// <param name="prefix">A digest of how the conversation begins, for a router; 0 when there is none.</param>
/// <param name="tokens">Everything that is to be in the cache; grows as the answer does.</param>
internal sealed class KvAllocation(string session, string tenant, ulong prefix, List<int> tokens)
{
    public string Session => session;

    public string Tenant => tenant;

    public ulong Prefix => prefix;

    public List<int> Tokens => tokens;

    /// <summary>The slot it extends; null while it waits.</summary>
    public KvSlot? Slot { get; set; }

    /// <summary>What host memory holds, or is about to hold, until the allocation gets its slot.</summary>
    public OffloadedSession? Awaits { get; set; }

    /// <summary>What its slot held of it when it got it.</summary>
    public PrefixSource PrefixSource { get; set; }

    /// <summary>How long it took to have that there.</summary>
    public TimeSpan Restore { get; set; }

    /// <summary>Tokens that are not in the cache yet.</summary>
    public int Pending => tokens.Count - Slot!.Tokens.Count;
}
