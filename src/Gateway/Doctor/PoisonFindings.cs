using Herd.Grains.Conversations.Failover.Poison;
using Herd.V1;

namespace Herd.Gateway.Doctor;

/// <summary>The findings of turns that failed the nodes that computed them.</summary>
internal static class PoisonFindings
{
    public static IEnumerable<Finding> From(ClusterFacts facts) =>
        facts.Suspects.Where(content => content.IsSuspect).Select(From);

    private static Finding From(SuspectContent suspect)
    {
        var turn = $"The turn {suspect.Turn} of conversation {suspect.Conversation} (tenant '{suspect.Tenant}')";
        var nodes = string.Join(", ", suspect.Nodes);
        return suspect.IsPoison
            ? Diagnosis.Error(
                $"{turn} failed the nodes {nodes}. Content {suspect.Digest[..12]} is refused until "
                + $"{suspect.Expires:u}.",
                "Read their logs for what ended them, and report it: no message should. Update Herd or the driver, or "
                + "serve another model.")
            : Diagnosis.Warning(
                $"{turn} failed the nodes {nodes} and is taken to no other. It waits for one of them, or is on trial "
                + "there.",
                "Nothing, if these nodes were stopped or lost power. Otherwise read their logs.");
    }
}
