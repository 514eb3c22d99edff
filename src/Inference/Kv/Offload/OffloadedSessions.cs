using Herd.Inference.Kv.PrefixCache;
using Herd.Inference.Runtime;

namespace Herd.Inference.Kv.Offload;

/// <summary>
/// The offloaded sessions, in host memory and on disk. Each tier is bounded in bytes and drops the least valuable
/// session first. Another thread writes offloaded sessions to disk at once.
/// </summary>
internal sealed class OffloadedSessions : IDisposable
{
    private static readonly TimeSpan Recently = TimeSpan.FromMinutes(1);

    private readonly long _hostCapacity;
    private readonly IDiskTier? _disk;
    private readonly KvRates _rates;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, OffloadedSession> _sessions = [];
    private readonly PrefixIndex _prefixIndex = new();
    private (long At, TimeSpan Idle)? _forgotten;

    public OffloadedSessions(long hostCapacity, IDiskTier? disk, KvRates rates, TimeProvider time)
    {
        _hostCapacity = hostCapacity;
        _disk = disk;
        _rates = rates;
        _time = time;
        HostKeptFor = hostCapacity > 0 ? TimeSpan.MaxValue : TimeSpan.Zero;
        DiskKeptFor = disk is not null ? TimeSpan.MaxValue : TimeSpan.Zero;
        foreach (var (session, lastUsed) in disk?.Recover() ?? [])
        {
            session.LastUsed = time.GetTimestamp()
                - (long)((time.GetUtcNow() - lastUsed).TotalSeconds * time.TimestampFrequency);
            Add(session);
            DiskBytes += session.FileBytes;
            rates.RecordSize(session.Tokens.Length, session.Bytes);
        }

        TrimDisk();
    }

    /// <summary>
    /// Idle time of the last session dropped from host memory. Sessions idle for less are still there.
    /// </summary>
    public TimeSpan HostKeptFor { get; private set; }

    /// <summary>The same for the disk.</summary>
    public TimeSpan DiskKeptFor { get; private set; }

    /// <summary>
    /// Idle time of the last session dropped from its last tier within the last minute; null if none.
    /// </summary>
    public TimeSpan? ForgottenIdle =>
        _forgotten is { } last && _time.GetElapsedTime(last.At) < Recently ? last.Idle : null;

    public bool IsEnabled => _hostCapacity > 0 || _disk is not null;

    public long HostBytes { get; private set; }

    /// <summary>Bytes that stay or will stay in host memory for allocations that wait for a slot.</summary>
    public long AwaitedBytes { get; private set; }

    public long DiskBytes { get; private set; }

    public IReadOnlyCollection<OffloadedSession> All => _sessions.Values;

    public OffloadedSession? Find(string session) => _sessions.GetValueOrDefault(session);

    /// <summary>
    /// Sessions of a tenant that may share these first tokens, the newest first, the own one included.
    /// </summary>
    public IEnumerable<OffloadedSession> Candidates(KvAllocation allocation)
    {
        var own = Find(allocation.Session);
        if (own is not null)
        {
            yield return own;
        }

        foreach (var similar in _prefixIndex.FindCandidates(allocation))
        {
            if (similar != own)
            {
                yield return similar;
            }
        }
    }

    /// <summary>
    /// True if so many more bytes can stay for waiting allocations and as many remain for all others.
    /// </summary>
    public bool HasRoomFor(long bytes) => AwaitedBytes + bytes <= _hostCapacity / 2;

    /// <summary>Keeps a state and takes ownership of it.</summary>
    /// <param name="session">The session of the state.</param>
    /// <param name="state">The state.</param>
    /// <param name="waiter">The allocation that waits for it; it gets no file until then.</param>
    public void Put(OffloadedSession session, StateBuffer state, KvAllocation? waiter)
    {
        Forget(session.Session, keepFile: waiter is null);
        session.State = state;
        session.LastUsed = _time.GetTimestamp();
        HostBytes += session.Bytes;
        Add(session);
        if (waiter is not null)
        {
            Await(session, waiter);
        }
        else if (_disk is not null && session.Bytes <= _disk.Capacity)
        {
            session.IsWriting = _disk.Write(session, bytes => Written(session, bytes));
        }

        TrimHost(except: null);
    }

    /// <summary>
    /// Queues the read of a state from disk to host memory, if there is room. The state has arrived when
    /// <see cref="OffloadedSession.State"/> is set. It stays while the allocation waits.
    /// </summary>
    public void Fetch(OffloadedSession session, KvAllocation allocation)
    {
        session.LastUsed = _time.GetTimestamp();
        if (allocation.Awaits == session && session.IsFetching)
        {
            return;
        }

        // What the allocation awaited before must not keep the room that it needs now.
        CancelWait(allocation);
        if (session.Waiters == 0 && AwaitedBytes > 0 && !HasRoomFor(session.Bytes))
        {
            return;
        }

        Await(session, allocation);
        if (!session.IsFetching)
        {
            session.IsFetching = true;
            _disk!.Read(session, (state, took) => Fetched(session, state, took));
        }
    }

    /// <summary>Ends the wait of an allocation.</summary>
    public void CancelWait(KvAllocation allocation)
    {
        if (allocation.Awaits is { Waiters: > 0 } session && --session.Waiters == 0)
        {
            AwaitedBytes -= session.Bytes;
        }

        allocation.Awaits = null;
    }

    /// <summary>Drops a session from every tier.</summary>
    public void Forget(string session) => Forget(session, keepFile: false);

    public void Dispose()
    {
        _disk?.Dispose();
        foreach (var session in _sessions.Values)
        {
            session.State?.Dispose();
        }
    }

    private void Await(OffloadedSession session, KvAllocation allocation)
    {
        CancelWait(allocation);
        allocation.Awaits = session;
        if (session.Waiters++ == 0)
        {
            AwaitedBytes += session.Bytes;
        }
    }

    private void Forget(string name, bool keepFile)
    {
        if (!_sessions.TryGetValue(name, out var session))
        {
            return;
        }

        DropState(session);
        DiskBytes -= session.FileBytes;
        if (!keepFile && (session.FileBytes > 0 || session.IsWriting))
        {
            _disk!.Delete(name);
        }

        Remove(session);
    }

    private void Written(OffloadedSession session, long bytes)
    {
        session.IsWriting = false;
        if (Find(session.Session) != session)
        {
            return;
        }

        session.FileBytes = bytes;
        DiskBytes += bytes;
        RemoveIfNowhere(session);
        TrimDisk();
    }

    private void Fetched(OffloadedSession session, StateBuffer? state, TimeSpan took)
    {
        session.IsFetching = false;
        if (state is null)
        {
            // The file was invalid. A session that was replaced meanwhile has a newer state and stays.
            if (Find(session.Session) == session)
            {
                Forget(session.Session);
            }
        }
        else if (Find(session.Session) != session)
        {
            state.Dispose();
        }
        else
        {
            _rates.Read.Record(session.Bytes, took);
            session.State = state;
            HostBytes += session.Bytes;
            TrimHost(except: session);
        }
    }

    private void TrimHost(OffloadedSession? except)
    {
        while (HostBytes > _hostCapacity
            && Least(s => s is { State: not null, Waiters: 0 } && s != except) is { } least)
        {
            HostKeptFor = _time.GetElapsedTime(least.LastUsed);
            DropState(least);
            RemoveIfNowhere(least);
        }
    }

    private void TrimDisk()
    {
        while (DiskBytes > (_disk?.Capacity ?? 0) && Least(s => s.FileBytes > 0) is { } least)
        {
            DiskKeptFor = _time.GetElapsedTime(least.LastUsed);
            _disk!.Delete(least.Session);
            DiskBytes -= least.FileBytes;
            least.FileBytes = 0;
            RemoveIfNowhere(least);
        }
    }

    private OffloadedSession? Least(Func<OffloadedSession, bool> among)
    {
        OffloadedSession? least = null;
        var leastValue = double.PositiveInfinity;
        foreach (var session in _sessions.Values)
        {
            var value = among(session)
                ? KvValue.Compute(_rates.Prefill.Seconds(session.Tokens.Length), _time.GetElapsedTime(session.LastUsed))
                : double.PositiveInfinity;
            if (value < leastValue)
            {
                (least, leastValue) = (session, value);
            }
        }

        return least;
    }

    private void DropState(OffloadedSession session)
    {
        if (session.State is { } state)
        {
            state.Dispose();
            session.State = null;
            HostBytes -= session.Bytes;
        }
    }

    private void RemoveIfNowhere(OffloadedSession session)
    {
        if (session is { State: null, FileBytes: 0, IsWriting: false })
        {
            _forgotten = (_time.GetTimestamp(), _time.GetElapsedTime(session.LastUsed));
            Remove(session);
        }
    }

    private void Add(OffloadedSession session)
    {
        _sessions[session.Session] = session;
        _prefixIndex.Add(session);
    }

    private void Remove(OffloadedSession session)
    {
        _sessions.Remove(session.Session);
        AwaitedBytes -= session.Waiters > 0 ? session.Bytes : 0;
        session.Waiters = 0;
        _prefixIndex.Remove(session);
    }
}
