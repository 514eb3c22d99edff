using Herd.V1;

namespace Herd.Gateway.Doctor;

/// <summary>The findings about what was deleted and is still in the store's files.</summary>
internal static class DeletionFindings
{
    /// <summary>The time in which the files are rewritten.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(2);

    public static IEnumerable<Finding> From(ClusterFacts facts)
    {
        if (facts.Store.Overdue > 0)
        {
            yield return Diagnosis.Warning(
                $"{facts.Store.Overdue} conversations are a day older than Gateway:Retention allows.",
                "Wait, if it was set just now: a sweep deletes 1,000 a minute. Otherwise read the gateways' logs.");
        }

        if (facts.Store.Erasure is not { IsPending: true } erasure)
        {
            yield break;
        }

        var deleted = DateTimeOffset.FromUnixTimeMilliseconds(erasure.Latest);
        if (erasure.Failure is { } failure)
        {
            yield return Diagnosis.Error(
                $"What was deleted until {deleted:u} stays in the store's files: {failure}.",
                "Let the store's user run INFO, BGREWRITEAOF and BGSAVE, and name all replicas in Cluster:Store.");
        }
        else if (facts.Gateway.Now - deleted > MaxWait)
        {
            yield return Diagnosis.Warning(
                $"What was deleted until {deleted:u} may be in the store's files.",
                "Check that the store writes its files (its log says), and that a gateway of this version runs.");
        }
    }
}
