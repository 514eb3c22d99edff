using System.Runtime.InteropServices;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Kv.Slots;

namespace Herd.Inference.Kv.PrefixCache;

/// <summary>A source of an allocation's first tokens: none, a slot, or an offloaded session.</summary>
/// <param name="Slot">The slot that has them.</param>
/// <param name="Offloaded">The offloaded session that has them.</param>
/// <param name="Matched">The number of the allocation's first tokens that the source has.</param>
/// <param name="Seconds">The time until all of the allocation's tokens are computed or copied, in seconds.</param>
internal readonly record struct KvSource(KvSlot? Slot, OffloadedSession? Offloaded, int Matched, double Seconds);

/// <summary>
/// The prefix cache: finds the first tokens of an allocation in the KV caches of all sessions of the same tenant.
/// </summary>
internal sealed class KvSources(KvSlot[] slots, OffloadedSessions offloadedSessions, KvRates rates)
{
    /// <summary>Prefixes shorter than this are computed, not shared, because a copy has a fixed cost.</summary>
    public const int MinSharedTokens = 32;

    /// <summary>The source from which an allocation has all its tokens soonest in this slot.</summary>
    /// <param name="allocation">The allocation.</param>
    /// <param name="target">The slot.</param>
    /// <param name="mayWait">False excludes states that the disk must be waited for.</param>
    public KvSource Cheapest(KvAllocation allocation, KvSlot target, bool mayWait = true)
    {
        var best = new KvSource(null, null, 0, rates.Prefill.Seconds(allocation.Tokens.Count));
        foreach (var slot in slots)
        {
            var isOwn = slot.Session == allocation.Session;
            if (slot.Session is not null && (isOwn || slot.Tenant == allocation.Tenant))
            {
                var copy = slot == target && isOwn ? 0 : rates.Copy(slot.Tokens.Count);
                Offer(slot, null, CollectionsMarshal.AsSpan(slot.Tokens), copy, isOwn);
            }
        }

        foreach (var offloaded in offloadedSessions.Candidates(allocation))
        {
            var read = offloaded.State is null ? rates.Read.Seconds(offloaded.Bytes) : 0;
            if (offloaded.State is not null || (mayWait && offloaded.FileBytes > 0))
            {
                Offer(
                    null, offloaded, offloaded.Tokens, read
                        + rates.Restore.Seconds(offloaded.Bytes), offloaded.Session == allocation.Session);
            }
        }

        return best;

        void Offer(KvSlot? slot, OffloadedSession? offloaded, ReadOnlySpan<int> tokens, double fetching, bool isOwn)
        {
            // The last token is computed in any case: its logits are needed.
            var matched = Math.Min(
                tokens.CommonPrefixLength(CollectionsMarshal.AsSpan(allocation.Tokens)), allocation.Tokens.Count - 1);
            var seconds = fetching + rates.Prefill.Seconds(allocation.Tokens.Count - matched);
            if ((isOwn || matched >= MinSharedTokens) && seconds < best.Seconds)
            {
                best = new KvSource(slot, offloaded, matched, seconds);
            }
        }
    }

    /// <summary>True if an allocation of the same tenant is computing much more of the same prefix.</summary>
    public bool NeighbourComputes(KvAllocation allocation, int matched) => Array.Exists(
        slots,
        slot => slot.Allocation is { Pending: > 1 } other
            && other.Tenant == allocation.Tenant
            && CollectionsMarshal.AsSpan(other.Tokens)
                .CommonPrefixLength(CollectionsMarshal.AsSpan(allocation.Tokens)) is var common
            && common > slot.Tokens.Count
            && Math.Min(common, allocation.Tokens.Count - 1) - matched >= MinSharedTokens);
}
