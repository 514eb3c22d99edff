namespace Herd.Gateway.Conversations;

/// <summary>The shards of each session that answer requests of this gateway. Thread-safe.</summary>
/// <param name="max">The number of shards of a session.</param>
internal sealed class BusyShards(int max)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Tenant, string Session), HashSet<int>> _busy = [];

    /// <summary>Marks the free shard with the lowest number as busy.</summary>
    /// <param name="tenant">The session's tenant.</param>
    /// <param name="session">The session's id, without the number of a shard.</param>
    /// <param name="min">The lowest number to choose.</param>
    /// <returns>The shard, to be disposed when its turn is complete; null if all shards from min on are busy.</returns>
    public Shard? Take(string tenant, string session, int min)
    {
        lock (_lock)
        {
            var busy = _busy.GetValueOrDefault((tenant, session)) ?? [];
            var number = min;
            while (busy.Contains(number))
            {
                number++;
            }

            if (number >= max)
            {
                return null;
            }

            busy.Add(number);
            _busy[(tenant, session)] = busy;
            return new Shard(number, () => Free((tenant, session), number));
        }
    }

    private void Free((string Tenant, string Session) session, int number)
    {
        lock (_lock)
        {
            _busy[session].Remove(number);
            if (_busy[session].Count == 0)
            {
                _busy.Remove(session);
            }
        }
    }

    /// <summary>A busy shard. Its disposal makes it free.</summary>
    /// <param name="number">The shard's number, from 0.</param>
    /// <param name="free">Makes the shard free.</param>
    internal sealed class Shard(int number, Action free) : IDisposable
    {
        private int _isFree;

        public int Number => number;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isFree, 1) == 0)
            {
                free();
            }
        }
    }
}
