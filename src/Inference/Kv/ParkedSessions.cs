using Herd.Inference.Runtime;

namespace Herd.Inference.Kv;

/// <summary>
/// The sessions that are parked off the device, in host memory and on disk, each tier bounded in bytes; what is worth least
/// goes first. What is parked is written to disk at once, behind the caller's back.
/// </summary>
internal sealed class ParkedSessions : IDisposable
{
    private static readonly TimeSpan Recently = TimeSpan.FromMinutes(1);

    private readonly long _hostCapacity;
    private readonly DiskTier? _disk;
    private readonly KvRates _rates;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, ParkedSession> _sessions = [];
    private readonly SessionBeginnings _beginnings = new();
    private (long At, TimeSpan Idle)? _forgotten;

    public ParkedSessions(long hostCapacity, DiskTier? disk, KvRates rates, TimeProvider time)
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
            rates.NoteSize(session.Tokens.Length, session.Bytes);
        }

        TrimDisk();
    }

    /// <summary>How long the last session that was dropped from host memory had been idle; those idle for less are there still.</summary>
    public TimeSpan HostKeptFor { get; private set; }

    /// <summary>The same of the disk.</summary>
    public TimeSpan DiskKeptFor { get; private set; }

    /// <summary>How long the session had been idle that was dropped from the last of its tiers, within the last minute; null when none was.</summary>
    public TimeSpan? ForgottenIdle => _forgotten is { } last && _time.GetElapsedTime(last.At) < Recently ? last.Idle : null;

    public bool IsEnabled => _hostCapacity > 0 || _disk is not null;

    public long HostBytes { get; private set; }

    /// <summary>Bytes that stay in host memory, or will, because somebody waits for a slot to have them in.</summary>
    public long AwaitedBytes { get; private set; }

    public long DiskBytes { get; private set; }

    public IReadOnlyCollection<ParkedSession> All => _sessions.Values;

    public ParkedSession? Find(string session) => _sessions.GetValueOrDefault(session);

    /// <summary>Sessions of a tenant that may begin as these tokens do, the newest first; the session's own among them.</summary>
    public IEnumerable<ParkedSession> Candidates(KvClaim claim)
    {
        var own = Find(claim.Session);
        if (own is not null)
        {
            yield return own;
        }

        foreach (var similar in _beginnings.Like(claim))
        {
            if (similar != own)
            {
                yield return similar;
            }
        }
    }

    /// <summary>Whether so much more can stay for those who wait, with as much left for everybody else.</summary>
    public bool HasRoomToWait(long bytes) => AwaitedBytes + bytes <= _hostCapacity / 2;

    /// <summary>Keeps a state, which belongs to this from now on.</summary>
    /// <param name="session">Whose state.</param>
    /// <param name="state">The state.</param>
    /// <param name="waiter">Who waits to go on with it. It is not worth a file until then.</param>
    public void Put(ParkedSession session, StateBuffer state, KvClaim? waiter)
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
    /// Brings a state from disk to host memory in a while, once there is room; it is there when
    /// <see cref="ParkedSession.State"/> is set, and stays while the claim waits.
    /// </summary>
    public void Fetch(ParkedSession session, KvClaim claim)
    {
        session.LastUsed = _time.GetTimestamp();
        if (claim.Awaits == session || (session.Waiters == 0 && AwaitedBytes > 0 && !HasRoomToWait(session.Bytes)))
        {
            return;
        }

        Leave(claim);
        Await(session, claim);
        if (!session.IsFetching)
        {
            session.IsFetching = true;
            _disk!.Read(session, (state, took) => Fetched(session, state, took));
        }
    }

    /// <summary>Notes that a claim waits no more.</summary>
    public void Leave(KvClaim claim)
    {
        if (claim.Awaits is { Waiters: > 0 } session && --session.Waiters == 0)
        {
            AwaitedBytes -= session.Bytes;
        }

        claim.Awaits = null;
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

    private void Await(ParkedSession session, KvClaim claim)
    {
        claim.Awaits = session;
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

    private void Written(ParkedSession session, long bytes)
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

    private void Fetched(ParkedSession session, StateBuffer? state, TimeSpan took)
    {
        session.IsFetching = false;
        if (state is null)
        {
            // A newer state of the session may be in the making; the file that was of no use is not it.
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
            _rates.Read.Note(session.Bytes, took);
            session.State = state;
            HostBytes += session.Bytes;
            TrimHost(except: session);
        }
    }

    private void TrimHost(ParkedSession? except)
    {
        while (HostBytes > _hostCapacity && Least(s => s is { State: not null, Waiters: 0 } && s != except) is { } least)
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

    private ParkedSession? Least(Func<ParkedSession, bool> among)
    {
        ParkedSession? least = null;
        var leastValue = double.PositiveInfinity;
        foreach (var session in _sessions.Values)
        {
            var value = among(session)
                ? KvValue.Of(_rates.Prefill.Seconds(session.Tokens.Length), _time.GetElapsedTime(session.LastUsed))
                : double.PositiveInfinity;
            if (value < leastValue)
            {
                (least, leastValue) = (session, value);
            }
        }

        return least;
    }

    private void DropState(ParkedSession session)
    {
        if (session.State is { } state)
        {
            state.Dispose();
            session.State = null;
            HostBytes -= session.Bytes;
        }
    }

    private void RemoveIfNowhere(ParkedSession session)
    {
        if (session is { State: null, FileBytes: 0, IsWriting: false })
        {
            _forgotten = (_time.GetTimestamp(), _time.GetElapsedTime(session.LastUsed));
            Remove(session);
        }
    }

    private void Add(ParkedSession session)
    {
        _sessions[session.Session] = session;
        _beginnings.Add(session);
    }

    private void Remove(ParkedSession session)
    {
        _sessions.Remove(session.Session);
        AwaitedBytes -= session.Waiters > 0 ? session.Bytes : 0;
        session.Waiters = 0;
        _beginnings.Remove(session);
    }
}
