using System.Runtime.InteropServices;
using Herd.Inference.Generation;
using Herd.Inference.Kv.Offload;
using Herd.Inference.Kv.PrefixCache;
using Herd.Inference.Kv.Slots;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Kv;

/// <summary>The outcome of an allocation.</summary>
internal enum KvAllocationOutcome
{
    /// <summary>The allocation has its slot.</summary>
    Allocated,

    /// <summary>No slot is idle, or the session's own is being extended.</summary>
    Busy,

    /// <summary>Waiting is faster: its state comes from disk, or another slot computes the same prefix.</summary>
    Deferred,
}

/// <summary>
/// The KV caches of all sessions: on the device in slots, the others offloaded. A session keeps its slot between turns
/// until another needs it more. Used by the engine's loop only.
/// </summary>
internal sealed class KvCache : IDisposable
{
    /// <summary>
    /// The minimum time in a slot, as a multiple of the time to swap the sessions of all slots: transfers take at most
    /// a fifth of the time.
    /// </summary>
    private const double MinTimePerSwap = 4;

    /// <summary>The shortest time to wait for the disk, in seconds.</summary>
    private const double MinDiskWait = 0.1;

    private readonly ILlamaContext _context;
    private readonly KvRates _rates;
    private readonly TimeProvider _time;
    private readonly KvSlot[] _slots;
    private readonly KvSources _sources;
    private readonly SlotChoice _choice;

    public KvCache(ILlamaContext context, OffloadedSessions offloaded, KvRates rates, TimeProvider time, ILogger logger)
    {
        _context = context;
        Offloaded = offloaded;
        _rates = rates;
        _time = time;
        States = new SlotStates(context, rates, time, logger);
        _slots = [.. Enumerable.Range(0, context.Sequences).Select(id => new KvSlot(id))];
        _sources = new KvSources(_slots, offloaded, rates);
        _choice = new SlotChoice(_slots, offloaded, rates, time);
    }

    public IReadOnlyList<KvSlot> Slots => _slots;

    public OffloadedSessions Offloaded { get; }

    public SlotStates States { get; }

    /// <summary>Idle time of the last session that lost its slot. Sessions idle for less still have theirs.</summary>
    public TimeSpan KeptFor { get; private set; } = TimeSpan.MaxValue;

    /// <summary>The prefixes of all sessions here, in no order and with repeats.</summary>
    public IEnumerable<ulong> Prefixes => _slots.Where(slot => slot.Session is not null).Select(slot => slot.Prefix)
        .Concat(Offloaded.All.Select(session => session.Prefix))
        .Where(prefix => prefix != 0);

    /// <summary>
    /// Gives an allocation a slot. Its first tokens come from the fastest source: kept, copied from a session of the
    /// same tenant with the same prefix, restored, or computed. The measured rates decide.
    /// </summary>
    public KvAllocationOutcome TryAllocate(KvAllocation allocation)
    {
        var mayWait = MayWaitForDisk(allocation);
        if (mayWait && allocation.Awaits is { IsFetching: true })
        {
            return KvAllocationOutcome.Deferred;
        }

        var own = Array.Find(_slots, slot => slot.Session == allocation.Session);
        if (own is { Allocation: not null } || _choice.For(own) is not { } target)
        {
            return KvAllocationOutcome.Busy;
        }

        var source = _sources.Cheapest(allocation, target, mayWait);
        if (_sources.NeighbourComputes(allocation, source.Matched))
        {
            return KvAllocationOutcome.Deferred;
        }

        if (source.Offloaded is { State: null } onDisk)
        {
            allocation.WaitsForDiskSince ??= _time.GetTimestamp();
            Offloaded.Fetch(onDisk, allocation);
            return KvAllocationOutcome.Deferred;
        }

        var begun = _time.GetTimestamp();
        FillSlot(source, target, allocation);
        allocation.Restore = _time.GetElapsedTime(begun);
        allocation.PrefixSource = target.Tokens.Count == 0 ? PrefixSource.Computed
            : source.Slot == target ? PrefixSource.Kept
            : source.Slot is not null ? PrefixSource.Copied
            : PrefixSource.Restored;
        if (own is not null && own != target)
        {
            Clear(own);
        }

        CancelWait(allocation);
        target.Allocation = allocation;
        target.SavedTokens = 0;
        target.LastUsed = _time.GetTimestamp();
        allocation.Slot = target;
        return KvAllocationOutcome.Allocated;
    }

    /// <summary>Ends an extension. The slot becomes idle and keeps its tokens, unless they were forgotten.</summary>
    public void Detach(KvAllocation allocation)
    {
        var slot = allocation.Slot!;
        slot.Allocation = null;
        slot.LastUsed = _time.GetTimestamp();
        allocation.Slot = null;
        if (slot.IsForgotten)
        {
            Clear(slot);
        }
    }

    /// <summary>
    /// Estimates the tokens to compute for each waiting allocation: those that no tier has for its session.
    /// </summary>
    public IEnumerable<int> Missing(IEnumerable<KvAllocation> allocations)
    {
        var kept = _slots.Where(slot => slot.Session is not null)
            .ToDictionary(slot => slot.Session!, slot => slot.Tokens.Count);
        return allocations.Select(allocation =>
        {
            var atHand = Math.Max(
                kept.GetValueOrDefault(allocation.Session), Offloaded.Find(allocation.Session)?.Tokens.Length ?? 0);
            return Math.Max(0, allocation.Tokens.Count - atHand);
        });
    }

    /// <summary>True if preempting an allocation costs little compared with its time in the slot.</summary>
    public bool CanPreempt(KvAllocation allocation, TimeSpan timeInSlot)
    {
        var tokens = allocation.Slot!.Tokens.Count;
        var rebuilding = _rates.Prefill.Seconds(tokens);
        var copying = Offloaded.IsEnabled ? Math.Min(rebuilding, _rates.Copy(tokens)) : rebuilding;
        return timeInSlot.TotalSeconds >= MinTimePerSwap * _slots.Length * copying && HasRoomToPreempt(tokens);
    }

    /// <summary>Takes an allocation's slot until it is allocated one again.</summary>
    public void Preempt(KvAllocation allocation)
    {
        var slot = allocation.Slot!;
        Detach(allocation);
        slot.Preempted = allocation;
    }

    /// <summary>Ends the wait of an allocation.</summary>
    public void CancelWait(KvAllocation allocation)
    {
        allocation.WaitsForDiskSince = null;
        Offloaded.CancelWait(allocation);
        if (Array.Find(_slots, slot => slot.Preempted == allocation) is { } slot)
        {
            slot.Preempted = null;
        }
    }

    /// <summary>Empties a slot whose content is unknown or not needed.</summary>
    public void Clear(KvSlot slot)
    {
        slot.Session = null;
        slot.Preempted = null;
        slot.IsForgotten = false;
        slot.Tokens.Clear();
        _context.Truncate(slot.Id, 0);
    }

    /// <summary>Drops a session wherever it is. One that is being extended keeps its slot until that ends.</summary>
    public void Forget(string session)
    {
        var slot = Array.Find(_slots, s => s.Session == session);
        if (slot?.Allocation is not null)
        {
            slot.IsForgotten = true;
        }
        else if (slot is not null)
        {
            Clear(slot);
        }

        Offloaded.Forget(session);
    }

    /// <summary>Offloads a copy of one idle session that has none, so that its slot can be taken at once.</summary>
    /// <returns>False if there is no such session.</returns>
    public bool OffloadOne()
    {
        var slot = Array.Find(
            _slots,
            s => s is { Allocation: null, Session: not null } && s.SavedTokens != s.Tokens.Count && ShouldOffload(s));
        if (slot is null)
        {
            return false;
        }

        slot.SavedTokens = slot.Tokens.Count;
        return TryOffload(slot);
    }

    /// <summary>Forgets the tokens of a slot from a position on.</summary>
    public void Truncate(KvSlot slot, int length)
    {
        if (length < slot.Tokens.Count)
        {
            if (!_context.Truncate(slot.Id, length))
            {
                length = 0;
                _context.Truncate(slot.Id, 0);
            }

            CollectionsMarshal.SetCount(slot.Tokens, length);
        }
    }

    /// <summary>True if an offloaded copy of a session equals the content of its slot.</summary>
    public static bool IsSame(OffloadedSession offloaded, KvSlot slot) =>
        offloaded.Tokens.AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(slot.Tokens));

    public void Dispose() => Offloaded.Dispose();

    /// <summary>
    /// False once an allocation has waited for the disk for as long as computing its tokens takes: then they are
    /// computed. So a disk that hangs costs at most twice the time, and stalls nobody (the ski rental problem: Karlin
    /// et al., "Competitive snoopy caching", 1988).
    /// </summary>
    private bool MayWaitForDisk(KvAllocation allocation) =>
        allocation.WaitsForDiskSince is not { } since
        || _time.GetElapsedTime(since).TotalSeconds
            < Math.Max(MinDiskWait, _rates.Prefill.Seconds(allocation.Tokens.Count));

    /// <summary>True if host memory has room for so many tokens and those of all preempted allocations.</summary>
    private bool HasRoomToPreempt(int tokens)
    {
        foreach (var slot in _slots)
        {
            tokens += slot.Preempted is null ? 0 : slot.Tokens.Count;
        }

        return Offloaded.HasRoomFor((long)(tokens * _rates.BytesPerToken));
    }

    private void FillSlot(KvSource source, KvSlot target, KvAllocation allocation)
    {
        // Offloading the slot's old session may push the state of the new one out of host memory.
        var kept = false;
        var state = source.Offloaded?.State;
        try
        {
            state?.DangerousAddRef(ref kept);
            FillSlot(source, state, target, allocation);
        }
        finally
        {
            if (kept)
            {
                state!.DangerousRelease();
            }
        }
    }

    private void FillSlot(KvSource source, StateBuffer? state, KvSlot target, KvAllocation allocation)
    {
        // The slot's old session is offloaded if it is another one; a session's own old tokens are not.
        if (target.Session is not null && target.Session != allocation.Session)
        {
            KeptFor = _time.GetElapsedTime(target.LastUsed);
            if (ShouldOffload(target))
            {
                TryOffload(target);
            }
        }

        if (source.Slot != target)
        {
            Clear(target);
            if (source.Matched > 0 && !States.TryFill(target, source, state))
            {
                Clear(target);
            }
        }

        Truncate(target, source.Matched);
        target.Preempted = null;
        target.Session = allocation.Session;
        target.Tenant = allocation.Tenant;
        target.Prefix = allocation.Prefix;
    }

    private bool ShouldOffload(KvSlot slot) =>
        Offloaded.IsEnabled
        && slot.Tokens.Count >= KvSources.MinSharedTokens
        && _rates.PaysToSave(slot.Tokens.Count)
        && !(Offloaded.Find(slot.Session!) is { } offloaded && IsSame(offloaded, slot));

    private bool TryOffload(KvSlot slot)
    {
        if (States.Save(slot) is not { } state)
        {
            return false;
        }

        Offloaded.Put(
            new OffloadedSession(slot.Session!, slot.Tenant, slot.Prefix, [.. slot.Tokens], state.Length),
            state,
            slot.Preempted);
        return true;
    }
}
