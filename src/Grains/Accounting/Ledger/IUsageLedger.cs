namespace Herd.Grains.Accounting.Ledger;

/// <summary>The durable ledger of what tenants computed.</summary>
public interface IUsageLedger
{
    /// <summary>Adds to the sums what the records have more than was recorded for their turns before.</summary>
    /// <returns>What was added, by account and state. Numbers are negative where a turn changed its state.</returns>
    Task<IReadOnlyList<UsageSum>> Write(IReadOnlyList<UsageRecord> records);

    /// <summary>The sums of a day.</summary>
    Task<IReadOnlyList<UsageSum>> Read(DateOnly day);

    /// <summary>The records of a tenant's turns of a day. Those of old days are removed; the sums stay.</summary>
    /// <param name="day">The day.</param>
    /// <param name="tenant">The tenant.</param>
    /// <param name="conversation">The conversation of the turns; null means all.</param>
    IAsyncEnumerable<UsageRecord> ReadTurns(DateOnly day, string tenant, string? conversation = null);

    /// <summary>Removes the records of the turns of a day. The sums stay.</summary>
    Task Prune(DateOnly day);
}
