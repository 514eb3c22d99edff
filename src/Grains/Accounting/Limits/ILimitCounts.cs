namespace Herd.Grains.Accounting.Limits;

/// <summary>Counts what tenants use of their limits.</summary>
public interface ILimitCounts
{
    /// <summary>Takes units of a budget that refills each minute and holds a minute's units.</summary>
    /// <param name="budget">The name of the budget.</param>
    /// <param name="limit">Units a minute.</param>
    /// <param name="units">The units; a negative number returns some.</param>
    /// <param name="isForced">True takes them even if they are not there.</param>
    /// <returns>Zero if they were taken; otherwise the time until they are there.</returns>
    Task<TimeSpan> Take(string budget, int limit, int units, bool isForced);

    /// <summary>Enters something into a group of limited size, such as the answers in progress.</summary>
    /// <param name="group">The name of the group.</param>
    /// <param name="limit">The maximum of its entries.</param>
    /// <param name="entry">The unique name of the entry.</param>
    /// <returns>False if the group is full.</returns>
    Task<bool> TryEnter(string group, int limit, string entry);

    /// <summary>Removes an entry.</summary>
    Task Leave(string group, string entry);
}
