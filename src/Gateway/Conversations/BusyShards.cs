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
    /// <returns>
    /// The shard's number, to be freed when its turn is complete; null if all shards from min on are busy.
    /// </returns>
    public int? Take(string tenant, string session, int min)
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
            return number;
        }
    }

    /// <summary>Marks a shard as free. Call it once for each shard taken.</summary>
    public void Free(string tenant, string session, int number)
    {
        lock (_lock)
        {
            var busy = _busy[(tenant, session)];
            busy.Remove(number);
            if (busy.Count == 0)
            {
                _busy.Remove((tenant, session));
            }
        }
    }
}
