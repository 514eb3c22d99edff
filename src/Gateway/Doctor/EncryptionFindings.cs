using Herd.V1;

namespace Herd.Gateway.Doctor;

/// <summary>The findings about the encryption of stored conversations and the rotation of its keys.</summary>
internal static class EncryptionFindings
{
    public static IEnumerable<Finding> From(ClusterFacts facts)
    {
        if (facts.Store is { Keys: [var first, ..], Encryption: { } state } && !state.IsComplete(first))
        {
            yield return state.Key == first && state.Failed > 0
                ? Diagnosis.Error(
                    $"{state.Failed} conversations cannot be encrypted with the key '{first}'.",
                    "Add the keys that they were written with to the file of Cluster:StorageKeysFile. Keep all others.")
                : Diagnosis.Warning(
                    $"Not all stored conversations are encrypted with the key '{first}' yet.",
                    "Keep the other keys. A gateway encrypts them in the background: look again in a minute.");
        }
    }

    /// <summary>What is fine.</summary>
    public static string Describe(ClusterFacts facts) => facts.Store.Keys switch
    {
        [var only] => $"all stored conversations are encrypted with the key '{only}'",
        [var first, .. var others] =>
            $"all stored conversations are encrypted with the key '{first}'; {string.Join(", ", others)} can go",
        _ => "stored conversations are not encrypted (Cluster:StorageKeysFile)",
    };
}
