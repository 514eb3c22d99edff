using Herd.Grains.Accounting.Ledger;

namespace Herd.Grains.Tests.Accounting;

/// <summary>A ledger that keeps the records that were written.</summary>
internal sealed class MemoryLedger : IUsageLedger
{
    /// <summary>Each write with its records.</summary>
    public List<IReadOnlyList<UsageRecord>> Writes { get; } = [];

    /// <summary>True if the store does not respond.</summary>
    public bool IsAway { get; set; }

    /// <summary>Waited for before a write ends.</summary>
    public Task WriteDelay { get; set; } = Task.CompletedTask;

    /// <summary>The latest record of each turn.</summary>
    public IReadOnlyList<UsageRecord> Latest =>
        [.. Writes.SelectMany(records => records).GroupBy(record => record.Turn).Select(records => records.Last())];

    public async Task<IReadOnlyList<UsageSum>> Write(IReadOnlyList<UsageRecord> records)
    {
        if (IsAway)
        {
            throw new TimeoutException("The store does not respond.");
        }

        Writes.Add(records);
        await WriteDelay;
        return [];
    }

    public Task<IReadOnlyList<UsageSum>> Read(DateOnly day) => throw new NotSupportedException();

    public IAsyncEnumerable<UsageRecord> ReadTurns(DateOnly day, string tenant, string? conversation) =>
        throw new NotSupportedException();

    public Task Prune(DateOnly day) => throw new NotSupportedException();
}
