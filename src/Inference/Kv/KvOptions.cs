namespace Herd.Inference.Kv;

/// <summary>The tiers of sessions' KV caches beside the device.</summary>
public sealed record KvOptions
{
    /// <summary>Bytes of host memory for offloaded sessions; 0 means none. Default 1 GiB.</summary>
    public long HostBytes { get; init; } = 1L << 30;

    /// <summary>The disk tier of offloaded sessions; null means none. Default none.</summary>
    public KvDiskOptions? Disk { get; init; }
}

/// <summary>The disk tier.</summary>
/// <param name="Directory">A folder of this model on this node; made when missing.</param>
/// <param name="Bytes">The maximum size of its files together.</param>
/// <param name="ModelDigest">SHA-256 of the model's file.</param>
/// <param name="Key">The secret that files are authenticated with, 32 bytes.</param>
/// <param name="EncryptionKey">The key that files are encrypted with, 32 bytes; null if they are not.</param>
public sealed record KvDiskOptions(
    string Directory, long Bytes, byte[] ModelDigest, byte[] Key, byte[]? EncryptionKey = null);
