namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>What all gateways know of suspect content, and which nodes have a trial.</summary>
public interface IPoisonStore
{
    /// <returns>Null if nothing is held against the content. It may have expired.</returns>
    Task<SuspectContent?> Find(string digest);

    /// <summary>All contents, also expired ones.</summary>
    Task<IReadOnlyList<SuspectContent>> List();

    Task Save(SuspectContent content);

    Task Remove(string digest);

    /// <summary>Reserves a node for a trial.</summary>
    /// <returns>False if another trial has it.</returns>
    Task<bool> TryReserve(string node, string trial, TimeSpan expiry);

    Task EndReservation(string node, string trial);
}
