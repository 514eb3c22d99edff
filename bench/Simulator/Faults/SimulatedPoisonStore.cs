using Herd.Grains.Conversations.Failover.Poison;

namespace Herd.Simulator.Faults;

/// <summary>What the store has of suspect content.</summary>
internal sealed class SuspectTable
{
    public Dictionary<string, SuspectContent> Contents { get; } = [];

    public Dictionary<string, (string Trial, DateTimeOffset Expires)> Trials { get; } = [];
}

/// <summary>The suspect content in the store, for one process. Calls wait for ever when the process is gone.</summary>
internal sealed class SimulatedPoisonStore(FaultWorld world, SimulatedProcess process) : IPoisonStore
{
    public Task<SuspectContent?> Find(string digest) => Do(table => table.Contents.GetValueOrDefault(digest));

    public Task<IReadOnlyList<SuspectContent>> List() =>
        Do<IReadOnlyList<SuspectContent>>(table => [.. table.Contents.Values]);

    public Task Save(SuspectContent content) => Do(table => table.Contents[content.Digest] = content);

    public Task Remove(string digest) => Do(table => table.Contents.Remove(digest));

    public Task<bool> TryReserve(string node, string trial, TimeSpan expiry) => Do(table =>
    {
        var now = world.Time.GetUtcNow();
        var isFree = !table.Trials.TryGetValue(node, out var other) || other.Expires <= now;
        if (isFree)
        {
            table.Trials[node] = (trial, now + expiry);
        }

        return isFree;
    });

    public Task EndReservation(string node, string trial) =>
        Do(table => table.Trials.GetValueOrDefault(node).Trial == trial && table.Trials.Remove(node));

    private async Task<T> Do<T>(Func<SuspectTable, T> action)
    {
        await process.Alive();
        return world.Store.IsAway ? throw FaultyStore.Away() : action(world.Suspects);
    }
}
