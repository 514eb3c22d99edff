namespace Herd.Inference.Kv;

/// <summary>Sessions' states that leave the engine and come to it. Used by the engine's loop only.</summary>
internal sealed class KvTravel(KvCache cache, KvRates rates, TimeProvider time)
{
    private readonly List<Wish> _wishes = [];

    private sealed record Wish(KvClaim Claim, TaskCompletionSource<SessionState?> Result, CancellationToken Cancellation);

    /// <summary>Every session at hand, those used last first.</summary>
    public IReadOnlyList<SessionSummary> Sessions()
    {
        var resident = cache.Slots.Where(slot => slot.Session is not null).ToDictionary(slot => slot.Session!);
        return
        [
            .. resident.Values
                .Select(slot => new SessionSummary(
                    slot.Session!,
                    slot.Tokens.Count,
                    (long)(slot.Tokens.Count * rates.BytesPerToken),
                    slot.Owner is not null,
                    time.GetElapsedTime(slot.LastUsed)))
                .Concat(cache.Parked.All.Where(parked => !resident.ContainsKey(parked.Session)).Select(parked => new SessionSummary(
                    parked.Session, parked.Tokens.Length, parked.Bytes, IsActive: false, time.GetElapsedTime(parked.LastUsed))))
                .OrderBy(session => session.Idle),
        ];
    }

    /// <summary>Asks for a copy of a session's state; null when there is none. It waits while the session is being extended.</summary>
    public void Export(string session, TaskCompletionSource<SessionState?> result, CancellationToken cancellation)
    {
        _wishes.Add(new Wish(new KvClaim(session, "", 0, []), result, cancellation));
        Serve();
    }

    /// <summary>Gives copies to whom they can be given by now.</summary>
    public void Serve() => _wishes.RemoveAll(wish =>
    {
        SessionState? state = null;
        if (!wish.Cancellation.IsCancellationRequested && !TryExport(wish.Claim, out state))
        {
            return false;
        }

        cache.Leave(wish.Claim);
        if (!wish.Result.TrySetResult(state))
        {
            state?.Dispose();
        }

        return true;
    });

    /// <summary>Takes in a session's state in place of what there is of it; the state belongs to the cache from then on.</summary>
    /// <returns>False while the session is being extended here.</returns>
    public bool TryImport(SessionState state)
    {
        if (cache.Slots.Any(slot => slot.Session == state.Session && slot.Owner is not null))
        {
            return false;
        }

        cache.Forget(state.Session);
        rates.NoteSize(state.Tokens.Length, state.State.Length);
        cache.Parked.Put(
            new ParkedSession(state.Session, state.Tenant, state.Prefix, state.Tokens, state.State.Length), state.State, waiter: null);
        return true;
    }

    /// <summary>Tells everybody that nothing comes.</summary>
    public void Abort()
    {
        _wishes.ForEach(wish => wish.Result.TrySetResult(null));
        _wishes.Clear();
    }

    /// <returns>False while there is something to wait for.</returns>
    private bool TryExport(KvClaim claim, out SessionState? state)
    {
        state = null;
        var slot = cache.Slots.FirstOrDefault(s => s.Session == claim.Session && s.Tokens.Count > 0);
        var parked = cache.Parked.Find(claim.Session);
        if (slot is { Owner: not null } || claim.Awaits is { IsFetching: true })
        {
            return false;
        }

        if (slot is not null && !(parked is { State: not null } && KvCache.IsSame(parked, slot)))
        {
            using var copy = cache.States.Save(slot);
            state = copy is null ? null : new SessionState(slot.Session!, slot.Tenant, slot.Prefix, [.. slot.Tokens], copy);
        }
        else if (parked is { State: { } held })
        {
            state = new SessionState(parked.Session, parked.Tenant, parked.Prefix, parked.Tokens, held);
        }
        else if (parked is { FileBytes: > 0 })
        {
            cache.Parked.Fetch(parked, claim);
            return false;
        }

        return true;
    }
}
