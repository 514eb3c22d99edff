namespace Herd.Grains.Rebalancing;

/// <summary>Bounds how much is moved: so many sessions a minute, and no session again until it has rested.</summary>
internal sealed class MigrationBudget(RebalanceOptions options, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Queue<(string Session, long At)> _moved = new();
    private readonly HashSet<string> _resting = [];

    /// <summary>Whether a session may be moved now; notes it if so.</summary>
    public bool TryTake(string session)
    {
        while (_moved.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Longest)
        {
            _moved.Dequeue();
            _resting.Remove(oldest.Session);
        }

        if (_resting.Contains(session) || _moved.Count(move => time.GetElapsedTime(move.At) < Window) >= options.MaxMovesPerMinute)
        {
            return false;
        }

        _moved.Enqueue((session, time.GetTimestamp()));
        _resting.Add(session);
        return true;
    }

    private TimeSpan Longest => options.Cooldown > Window ? options.Cooldown : Window;
}
