using System.Runtime.InteropServices;

namespace Herd.Inference.Kv;

/// <summary>Where some of a claim's tokens are at hand: nowhere, in a slot, or parked.</summary>
/// <param name="Slot">The slot that has them.</param>
/// <param name="Parked">The parked session that has them.</param>
/// <param name="Matched">How many of the claim's first tokens these are.</param>
/// <param name="Seconds">How long it takes to have all of the claim's tokens.</param>
internal readonly record struct KvSource(KvSlot? Slot, ParkedSession? Parked, int Matched, double Seconds);

/// <summary>Finds what claims begin with among everything that is kept; never among another tenant's.</summary>
internal sealed class KvSources(KvSlot[] slots, ParkedSessions parkedSessions, KvRates rates)
{
    /// <summary>Beginnings shorter than this are computed, not shared: moving has a cost of its own.</summary>
    public const int LeastShared = 32;

    /// <summary>What a claim has all its tokens from soonest, if it is computed in this slot.</summary>
    public KvSource Cheapest(KvClaim claim, KvSlot target)
    {
        var best = new KvSource(null, null, 0, rates.Prefill.Seconds(claim.Tokens.Count));
        foreach (var slot in slots)
        {
            var isOwn = slot.Session == claim.Session;
            if (slot.Session is not null && (isOwn || slot.Tenant == claim.Tenant))
            {
                var moved = slot == target && isOwn ? 0 : rates.Copy(slot.Tokens.Count);
                Offer(slot, null, CollectionsMarshal.AsSpan(slot.Tokens), moved, isOwn);
            }
        }

        foreach (var parked in parkedSessions.Candidates(claim))
        {
            var read = parked.State is null ? rates.Read.Seconds(parked.Bytes) : 0;
            if (parked.State is not null || parked.FileBytes > 0)
            {
                Offer(
                    null, parked, parked.Tokens, read + rates.Restore.Seconds(parked.Bytes), parked.Session == claim.Session);
            }
        }

        return best;

        void Offer(KvSlot? slot, ParkedSession? parked, ReadOnlySpan<int> tokens, double moving, bool isOwn)
        {
            // The last token is computed in any case: its logits are needed.
            var matched = Math.Min(
                tokens.CommonPrefixLength(CollectionsMarshal.AsSpan(claim.Tokens)), claim.Tokens.Count - 1);
            var seconds = moving + rates.Prefill.Seconds(claim.Tokens.Count - matched);
            if ((isOwn || matched >= LeastShared) && seconds < best.Seconds)
            {
                best = new KvSource(slot, parked, matched, seconds);
            }
        }
    }

    /// <summary>Whether somebody of the same tenant is about to have computed much more of what the claim begins with.</summary>
    public bool NeighbourComputes(KvClaim claim, int matched) => Array.Exists(
        slots,
        slot => slot.Owner is { Pending: > 1 } other
            && other.Tenant == claim.Tenant
            && CollectionsMarshal.AsSpan(other.Tokens).CommonPrefixLength(CollectionsMarshal.AsSpan(claim.Tokens)) is var common
            && common > slot.Tokens.Count
            && Math.Min(common, claim.Tokens.Count - 1) - matched >= LeastShared);
}
