using Herd.Grains.Conversations.Failover.Poison;
using StackExchange.Redis;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

/// <summary>A store in memory, which can be made to fail.</summary>
internal sealed class MemoryPoisonStore : IPoisonStore
{
    public Dictionary<string, SuspectContent> Contents { get; } = [];

    /// <summary>The nodes with a trial, and its id.</summary>
    public Dictionary<string, string> Trials { get; } = [];

    /// <summary>True if the store does not respond.</summary>
    public bool IsAway { get; set; }

    public Task<SuspectContent?> Find(string digest) => Do(() => Contents.GetValueOrDefault(digest));

    public Task<IReadOnlyList<SuspectContent>> List() =>
        Do<IReadOnlyList<SuspectContent>>(() => [.. Contents.Values]);

    public Task Save(SuspectContent content) => Do(() => Contents[content.Digest] = content);

    public Task Remove(string digest) => Do(() => Contents.Remove(digest));

    public Task<bool> TryReserve(string node, string trial, TimeSpan expiry) => Do(() => Trials.TryAdd(node, trial));

    public Task EndReservation(string node, string trial) =>
        Do(() => Trials.GetValueOrDefault(node) == trial && Trials.Remove(node));

    private Task<T> Do<T>(Func<T> action) => IsAway
        ? throw new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "away")
        : Task.FromResult(action());
}
