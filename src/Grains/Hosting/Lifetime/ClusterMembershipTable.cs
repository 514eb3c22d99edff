using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

#pragma warning disable CS0618 // Orleans' methods with a token call those without.

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// Orleans' membership table with two rules of this cluster.
/// <para>
/// Leaving: Orleans writes that the process leaves, and tries for a minute and longer while the store does not respond.
/// Here a process that leaves tries <see cref="MaxAttempts"/> times, and then leaves without: the others notice by
/// their probes, as after a crash.
/// </para>
/// <para>
/// Joining: a process that starts on a busy machine answers no probes for some seconds. Here others do not declare it
/// dead before its time to join is over. Nobody waits for a member that is not active yet.
/// </para>
/// </summary>
internal sealed class ClusterMembershipTable(
    IMembershipTable table,
    ILocalSiloDetails silo,
    Departure departure,
    IOptions<ClusterMembershipOptions> membership,
    TimeProvider time,
    ILogger<ClusterMembershipTable> logger) : IMembershipTable
{
    /// <summary>Failed reads and writes of a process that leaves. Orleans waits for 1 to 3 s between two.</summary>
    public const int MaxAttempts = 2;

    private MembershipTableData? _latest;
    private int _failed;

    public Task InitializeMembershipTable(bool tryInitTableVersion) =>
        table.InitializeMembershipTable(tryInitTableVersion);

    public Task DeleteMembershipTableEntries(string clusterId) => table.DeleteMembershipTableEntries(clusterId);

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => table.CleanupDefunctSiloEntries(beforeDate);

    public Task<MembershipTableData> ReadRow(SiloAddress key) => table.ReadRow(key);

    public async Task<MembershipTableData> ReadAll() =>
        _latest = await Try(table.ReadAll, () => _latest);

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        Try(() => table.InsertRow(entry, tableVersion), () => true);

    /// <returns>False if the row was not written. Orleans votes again when a further probe has failed.</returns>
    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        IsVoteAgainstAJoiningMember(entry)
            ? Task.FromResult(false)
            : Try(() => table.UpdateRow(entry, etag, tableVersion), () => true);

    public Task UpdateIAmAlive(MembershipEntry entry) => table.UpdateIAmAlive(entry);

    /// <summary>An earlier process with this one's port is declared dead at once.</summary>
    private bool IsVoteAgainstAJoiningMember(MembershipEntry entry) =>
        !entry.SiloAddress.Endpoint.Equals(silo.SiloAddress.Endpoint)
        && _latest?.TryGet(entry.SiloAddress)?.Item1 is { Status: SiloStatus.Joining } member
        && time.GetUtcNow().UtcDateTime < member.StartTime + membership.Value.MaxJoinAttemptTime;

    /// <param name="call">The call of the table.</param>
    /// <param name="instead">The result for a process that leaves without the table; null if there is none.</param>
    private async Task<T> Try<T>(Func<Task<T>> call, Func<T?> instead)
    {
        if (_failed >= MaxAttempts && instead() is { } result)
        {
            return result;
        }

        try
        {
            return await call();
        }
        catch (Exception e) when (departure.HasBegun)
        {
            if (++_failed == MaxAttempts)
            {
                LeavingLog.LeavesWithout(logger, MaxAttempts, e.GetType().Name);

                // Nobody is told of a version of the table that the store does not have.
                membership.Value.UseLivenessGossip = false;
                departure.EndSoon();
            }

            throw;
        }
    }
}

internal static partial class LeavingLog
{
    [LoggerMessage(
        EventId = 202,
        Level = LogLevel.Warning,
        Message = "The store did not respond {Attempts} times ({Reason}): this process stops without telling it. "
            + "The other processes notice")]
    public static partial void LeavesWithout(ILogger logger, int attempts, string reason);
}
