using Herd.Grains.Conversations.Failover.Poison;
using Herd.Grains.Hosting.Identity;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

internal static class ClusterKeys
{
    /// <summary>Digests by a key of equal bytes.</summary>
    public static ContentDigest Digests(byte fill = 0)
    {
        var file = Path.GetTempFileName();
        File.WriteAllBytes(file, [.. Enumerable.Repeat(fill, ClusterKey.MinBytes)]);
        var key = new ClusterKey(file);
        File.Delete(file);
        return new ContentDigest(key);
    }
}
