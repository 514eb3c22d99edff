using System.Runtime.InteropServices;
using Herd.Inference.Generation;
using Herd.Inference.Runtime;
using Microsoft.Extensions.Logging;

namespace Herd.Inference.Kv;

/// <summary>How a claim fared.</summary>
internal enum KvOutcome
{
    /// <summary>It has its slot.</summary>
    Acquired,

    /// <summary>No slot is idle, or the session's own is being extended.</summary>
    Busy,

    /// <summary>It is better off waiting: its state comes from disk, or a neighbour computes what both begin with.</summary>
    Later,
}

/// <summary>
/// The KV caches of all sessions: on the device in slots, the others parked. A session keeps its slot between turns until
/// another needs it more. Used by the engine's loop only.
/// </summary>
internal sealed class KvCache : IDisposable
{
    /// <summary>
    /// How long a slot is kept, as a multiple of what it takes to change the sessions of all slots: moving takes at most a
    /// fifth of the time.
    /// </summary>
    private const double HeldPerMove = 4;

    private readonly ILlamaContext _context;
    private readonly KvRates _rates;
    private readonly TimeProvider _time;
    private readonly KvSlot[] _slots;
    private readonly KvSources _sources;
    private readonly SlotChoice _choice;

    public KvCache(ILlamaContext context, ParkedSessions parked, KvRates rates, TimeProvider time, ILogger logger)
    {
        _context = context;
        Parked = parked;
        _rates = rates;
        _time = time;
        States = new SlotStates(context, rates, time, logger);
        _slots = [.. Enumerable.Range(0, context.Sequences).Select(id => new KvSlot(id))];
        _sources = new KvSources(_slots, parked, rates);
        _choice = new SlotChoice(_slots, parked, rates, time);
    }

    public IReadOnlyList<KvSlot> Slots => _slots;

    public ParkedSessions Parked { get; }

    public SlotStates States { get; }

    /// <summary>How long the last session that lost its slot had been idle; those idle for less have theirs still.</summary>
    public TimeSpan KeptFor { get; private set; } = TimeSpan.MaxValue;

    /// <summary>What the sessions at hand begin with, in no order and not each once.</summary>
    public IEnumerable<ulong> Prefixes => _slots.Where(slot => slot.Session is not null).Select(slot => slot.Prefix)
        .Concat(Parked.All.Select(session => session.Prefix))
        .Where(prefix => prefix != 0);

    /// <summary>
    /// Gives a claim a slot that holds as much of its tokens as pays: kept, copied from a session of the same tenant that
    /// begins alike, or restored; whatever is had soonest, by the rates measured.
    /// </summary>
    public KvOutcome TryAcquire(KvClaim claim)
    {
        if (claim.Awaits is { IsFetching: true })
        {
            return KvOutcome.Later;
        }

        var own = Array.Find(_slots, slot => slot.Session == claim.Session);
        if (own is { Owner: not null } || _choice.For(own) is not { } target)
        {
            return KvOutcome.Busy;
        }

        var source = _sources.Cheapest(claim, target);
        if (_sources.NeighbourComputes(claim, source.Matched))
        {
            return KvOutcome.Later;
        }

        if (source.Parked is { State: null } onDisk)
        {
            Parked.Fetch(onDisk, claim);
            return KvOutcome.Later;
        }

        // Parking whoever had the slot may push the very state out of host memory that is to come in its place.
        var kept = false;
        var state = source.Parked?.State;
        state?.DangerousAddRef(ref kept);
        var begun = _time.GetTimestamp();
        Bring(source, state, target, claim);
        claim.Restore = _time.GetElapsedTime(begun);
        claim.Beginning = target.Tokens.Count == 0 ? KvBeginning.Computed
            : source.Slot == target ? KvBeginning.Kept
            : source.Slot is not null ? KvBeginning.Copied
            : KvBeginning.Restored;
        state?.DangerousRelease();
        if (own is not null && own != target)
        {
            Clear(own);
        }

        Leave(claim);
        target.Owner = claim;
        target.SavedTokens = 0;
        target.LastUsed = _time.GetTimestamp();
        claim.Slot = target;
        return KvOutcome.Acquired;
    }

    /// <summary>Ends an extension. The slot keeps what was computed.</summary>
    public void Release(KvClaim claim)
    {
        claim.Slot!.Owner = null;
        claim.Slot.LastUsed = _time.GetTimestamp();
        claim.Slot = null;
    }

    /// <summary>About how many tokens are to be computed of each claim that waits: all but what is at hand of its session.</summary>
    public IEnumerable<int> Missing(IEnumerable<KvClaim> claims)
    {
        var kept = _slots.Where(slot => slot.Session is not null).ToDictionary(slot => slot.Session!, slot => slot.Tokens.Count);
        return claims.Select(claim =>
        {
            var atHand = Math.Max(kept.GetValueOrDefault(claim.Session), Parked.Find(claim.Session)?.Tokens.Length ?? 0);
            return Math.Max(0, claim.Tokens.Count - atHand);
        });
    }

    /// <summary>Whether a claim can give its slot up for a while, at a price that is small beside the time it had it.</summary>
    public bool CanMakeWay(KvClaim claim, TimeSpan held)
    {
        var tokens = claim.Slot!.Tokens.Count;
        var rebuilding = _rates.Prefill.Seconds(tokens);
        var moving = Parked.IsEnabled ? Math.Min(rebuilding, _rates.Copy(tokens)) : rebuilding;
        return held.TotalSeconds >= HeldPerMove * _slots.Length * moving && HasRoomToWait(tokens);
    }

    /// <summary>Takes a claim's slot, until it acquires one again.</summary>
    public void MakeWay(KvClaim claim)
    {
        var slot = claim.Slot!;
        Release(claim);
        slot.Displaced = claim;
    }

    /// <summary>Notes that a claim waits no more.</summary>
    public void Leave(KvClaim claim)
    {
        Parked.Leave(claim);
        if (Array.Find(_slots, slot => slot.Displaced == claim) is { } slot)
        {
            slot.Displaced = null;
        }
    }

    /// <summary>Empties a slot: what its cells hold is not known, or not wanted.</summary>
    public void Clear(KvSlot slot)
    {
        slot.Session = null;
        slot.Displaced = null;
        slot.Tokens.Clear();
        _context.Truncate(slot.Id, 0);
    }

    /// <summary>Drops a session wherever it is, unless it is being extended.</summary>
    public void Forget(string session)
    {
        if (Array.Find(_slots, s => s.Session == session && s.Owner is null) is { } slot)
        {
            Clear(slot);
        }

        Parked.Forget(session);
    }

    /// <summary>Parks a copy of one idle session that has none, so that nothing is left to do when its slot is wanted.</summary>
    /// <returns>False when there is none.</returns>
    public bool SaveOne()
    {
        var slot = Array.Find(
            _slots, s => s is { Owner: null, Session: not null } && s.SavedTokens != s.Tokens.Count && IsToBeParked(s));
        if (slot is null)
        {
            return false;
        }

        slot.SavedTokens = slot.Tokens.Count;
        return TrySave(slot);
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

    /// <summary>Whether a parked copy of a session is of what its slot holds now.</summary>
    public static bool IsSame(ParkedSession parked, KvSlot slot) =>
        parked.Tokens.AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(slot.Tokens));

    public void Dispose() => Parked.Dispose();

    /// <summary>Whether host memory can take so many tokens until they go on, and those of all who have made way before.</summary>
    private bool HasRoomToWait(int tokens)
    {
        foreach (var slot in _slots)
        {
            tokens += slot.Displaced is null ? 0 : slot.Tokens.Count;
        }

        return Parked.HasRoomToWait((long)(tokens * _rates.BytesPerToken));
    }

    private void Bring(KvSource source, StateBuffer? state, KvSlot target, KvClaim claim)
    {
        // A session that another one's place is taken for is parked; one's own old tokens are not.
        if (target.Session is not null && target.Session != claim.Session)
        {
            KeptFor = _time.GetElapsedTime(target.LastUsed);
            if (IsToBeParked(target))
            {
                TrySave(target);
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
        target.Displaced = null;
        target.Session = claim.Session;
        target.Tenant = claim.Tenant;
        target.Prefix = claim.Prefix;
    }

    private bool IsToBeParked(KvSlot slot) =>
        Parked.IsEnabled
        && slot.Tokens.Count >= KvSources.LeastShared
        && _rates.PaysToSave(slot.Tokens.Count)
        && !(Parked.Find(slot.Session!) is { } parked && IsSame(parked, slot));

    private bool TrySave(KvSlot slot)
    {
        if (States.Save(slot) is not { } state)
        {
            return false;
        }

        Parked.Put(
            new ParkedSession(slot.Session!, slot.Tenant, slot.Prefix, [.. slot.Tokens], state.Length), state, slot.Displaced);
        return true;
    }
}
