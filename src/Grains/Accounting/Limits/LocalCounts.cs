namespace Herd.Grains.Accounting.Limits;

/// <summary>The counts of this gateway alone: for the time in which the store does not respond. Thread-safe.</summary>
public sealed class LocalCounts(TimeProvider time) : ILimitCounts
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Budget> _budgets = [];
    private readonly Dictionary<string, HashSet<string>> _groups = [];

    /// <summary>The entries of all groups.</summary>
    public IReadOnlyList<(string Group, string[] Entries)> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _groups.Select(group => (group.Key, group.Value.ToArray()))];
            }
        }
    }

    public Task<TimeSpan> Take(string budget, int limit, int units, bool isForced)
    {
        lock (_lock)
        {
            if (!_budgets.TryGetValue(budget, out var known))
            {
                _budgets[budget] = known = new Budget(limit, time);
            }

            return Task.FromResult(known.Take(limit, units, isForced));
        }
    }

    public Task<bool> TryEnter(string group, int limit, string entry)
    {
        lock (_lock)
        {
            if (!_groups.TryGetValue(group, out var entries))
            {
                _groups[group] = entries = [];
            }

            return Task.FromResult(entries.Count < limit && entries.Add(entry));
        }
    }

    public Task Leave(string group, string entry)
    {
        lock (_lock)
        {
            if (_groups.TryGetValue(group, out var entries) && entries.Remove(entry) && entries.Count == 0)
            {
                _groups.Remove(group);
            }
        }

        return Task.CompletedTask;
    }
}
