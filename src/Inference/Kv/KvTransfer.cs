using Herd.Inference.Kv.Offload;

namespace Herd.Inference.Kv;

/// <summary>Exports and imports the states of sessions. Used by the engine's loop only.</summary>
internal sealed class KvTransfer(KvCache cache, KvRates rates, TimeProvider time)
{
    private readonly List<ExportRequest> _requests = [];

    private sealed record ExportRequest(
        KvAllocation Allocation, TaskCompletionSource<SessionState?> Result, CancellationToken Cancellation);

    /// <summary>True if a copy is waited for.</summary>
    public bool HasRequests => _requests.Count > 0;

    /// <summary>Every session here, the last used first.</summary>
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
                    slot.Allocation is not null,
                    time.GetElapsedTime(slot.LastUsed)))
                .Concat(cache.Offloaded.All.Where(offloaded => !resident.ContainsKey(offloaded.Session))
                    .Select(offloaded => new SessionSummary(
                    offloaded.Session,
                    offloaded.Tokens.Length,
                    offloaded.Bytes,
                    IsActive: false,
                    time.GetElapsedTime(offloaded.LastUsed))))
                .OrderBy(session => session.Idle),
        ];
    }

    /// <summary>
    /// Requests a copy of a session's state; null if there is none. It waits while the session is in use.
    /// </summary>
    public void Export(string session, TaskCompletionSource<SessionState?> result, CancellationToken cancellation)
    {
        _requests.Add(new ExportRequest(new KvAllocation(session, "", 0, []), result, cancellation));
        ServeRequests();
    }

    /// <summary>Answers the export requests that can be answered now.</summary>
    public void ServeRequests() => _requests.RemoveAll(request =>
    {
        SessionState? state = null;
        if (!request.Cancellation.IsCancellationRequested && !TryExport(request.Allocation, out state))
        {
            return false;
        }

        cache.CancelWait(request.Allocation);
        if (!request.Result.TrySetResult(state))
        {
            state?.Dispose();
        }

        return true;
    });

    /// <summary>Replaces a session's state. The new state belongs to the cache from then on.</summary>
    /// <returns>False while the session is being extended here.</returns>
    public bool TryImport(SessionState state)
    {
        if (cache.Slots.Any(slot => slot.Session == state.Session && slot.Allocation is not null))
        {
            return false;
        }

        cache.Forget(state.Session);
        rates.RecordSize(state.Tokens.Length, state.State.Length);
        cache.Offloaded.Put(
            new OffloadedSession(state.Session, state.Tenant, state.Prefix, state.Tokens, state.State.Length),
            state.State,
            waiter: null);
        return true;
    }

    /// <summary>Answers every export request with null.</summary>
    public void Abort()
    {
        _requests.ForEach(request => request.Result.TrySetResult(null));
        _requests.Clear();
    }

    /// <returns>False while there is something to wait for.</returns>
    private bool TryExport(KvAllocation allocation, out SessionState? state)
    {
        state = null;
        var slot = cache.Slots.FirstOrDefault(s => s.Session == allocation.Session && s.Tokens.Count > 0);
        var offloaded = cache.Offloaded.Find(allocation.Session);
        if (slot is { Allocation: not null } || allocation.Awaits is { IsFetching: true })
        {
            return false;
        }

        if (slot is not null && !(offloaded is { State: not null } && KvCache.IsSame(offloaded, slot)))
        {
            using var copy = cache.States.Save(slot);
            state = copy is null
                ? null
                : new SessionState(slot.Session!, slot.Tenant, slot.Prefix, [.. slot.Tokens], copy);
        }
        else if (offloaded is { State: { } kept })
        {
            state = new SessionState(offloaded.Session, offloaded.Tenant, offloaded.Prefix, offloaded.Tokens, kept);
        }
        else if (offloaded is { FileBytes: > 0 })
        {
            cache.Offloaded.Fetch(offloaded, allocation);
            return false;
        }

        return true;
    }
}
