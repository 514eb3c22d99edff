namespace Herd.Grains.Rebalancing;

/// <summary>
/// Limits the moves of sessions: so many a minute, and none of a session within the cooldown after its last move.
/// </summary>
internal sealed class MigrationBudget(RebalanceOptions options, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Queue<(string Session, long At)> _moved = new();
    private readonly HashSet<string> _cooling = [];

    /// <summary>True if a session may be moved now. The move is then counted.</summary>
    public bool TryTake(string session)
    {
        while (_moved.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Memory)
        {
            _moved.Dequeue();
            _cooling.Remove(oldest.Session);
        }

        var inWindow = _moved.Count(move => time.GetElapsedTime(move.At) < Window);
        if (_cooling.Contains(session) || inWindow >= options.MaxMovesPerMinute)
        {
            return false;
        }

        _moved.Enqueue((session, time.GetTimestamp()));
        _cooling.Add(session);
        return true;
    }

    private TimeSpan Memory => options.Cooldown > Window ? options.Cooldown : Window;
}
