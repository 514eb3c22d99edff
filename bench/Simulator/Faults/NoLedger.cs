using Herd.Grains.Accounting.Ledger;

namespace Herd.Simulator.Faults;

/// <summary>A ledger that keeps nothing: the simulation checks answers, not sums.</summary>
internal sealed class NoLedger : IUsageLedger
{
    public Task<IReadOnlyList<UsageSum>> Write(IReadOnlyList<UsageRecord> records) =>
        Task.FromResult<IReadOnlyList<UsageSum>>([]);

    public Task<IReadOnlyList<UsageSum>> Read(DateOnly day) => throw new NotSupportedException();

    public IAsyncEnumerable<UsageRecord> ReadTurns(DateOnly day, string tenant, string? conversation) =>
        throw new NotSupportedException();

    public Task Prune(DateOnly day) => throw new NotSupportedException();
}
