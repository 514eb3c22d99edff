using Herd.Inference.Kv.Offload;
using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Slots;

/// <summary>Chooses the slot that a session is computed in.</summary>
internal sealed class SlotChoice(KvSlot[] slots, OffloadedSessions offloaded, KvRates rates, TimeProvider time)
{
    private const double MaxCopySeconds = 0.1;

    /// <summary>
    /// The slot to compute in. Neighbouring slots are computed in one pass (<see cref="BatchOrder"/>), so a session
    /// is copied to a slot beside busy ones if the session in that slot can be offloaded.
    /// </summary>
    public KvSlot? For(KvSlot? own)
    {
        if (own is not null
            && (!offloaded.IsEnabled || IsBesideBusy(own) || rates.Copy(own.Tokens.Count) > MaxCopySeconds))
        {
            return own;
        }

        return (offloaded.IsEnabled ? LeastValuable(IsBesideBusy) : null) ?? own ?? LeastValuable(_ => true);
    }

    private bool IsBesideBusy(KvSlot slot) =>
        (slot.Id > 0 && slots[slot.Id - 1].Allocation is not null)
        || (slot.Id + 1 < slots.Length && slots[slot.Id + 1].Allocation is not null);

    /// <summary>The idle slot whose loss costs least; an empty one costs nothing.</summary>
    private KvSlot? LeastValuable(Func<KvSlot, bool> isPossible)
    {
        KvSlot? least = null;
        var leastValue = double.PositiveInfinity;
        foreach (var slot in slots)
        {
            if (slot.Allocation is null && isPossible(slot))
            {
                var value = KvValue.Compute(
                    rates.Prefill.Seconds(slot.Tokens.Count), time.GetElapsedTime(slot.LastUsed));
                if (least is null || value < leastValue)
                {
                    (least, leastValue) = (slot, value);
                }
            }
        }

        return least;
    }
}
