namespace Herd.Grains.Rebalancing;

/// <summary>
/// Limits migrations: so many a minute, and none of a session within the cooldown after its last one.
/// </summary>
internal sealed class MigrationBudget(RebalanceOptions options, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Queue<(string Session, long At)> _migrated = new();
    private readonly HashSet<string> _cooling = [];

    /// <summary>True if a session may migrate now. The migration is then counted.</summary>
    public bool TryTake(string session)
    {
        while (_migrated.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Memory)
        {
            _migrated.Dequeue();
            _cooling.Remove(oldest.Session);
        }

        var inWindow = _migrated.Count(migration => time.GetElapsedTime(migration.At) < Window);
        if (_cooling.Contains(session) || inWindow >= options.MaxMovesPerMinute)
        {
            return false;
        }

        _migrated.Enqueue((session, time.GetTimestamp()));
        _cooling.Add(session);
        return true;
    }

    private TimeSpan Memory => options.Cooldown > Window ? options.Cooldown : Window;
}
