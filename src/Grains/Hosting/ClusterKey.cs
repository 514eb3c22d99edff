using System.Security.Cryptography;
using System.Text;

namespace Herd.Grains.Hosting;

/// <summary>The secret that the processes of a cluster share, and what is derived from it for each use.</summary>
/// <param name="keyFile">The file that holds it.</param>
internal sealed class ClusterKey(string keyFile)
{
    public const int LeastBytes = 32;

    private readonly byte[] _key = File.ReadAllBytes(keyFile);

    /// <summary>What KV caches are sealed with on their way from node to node.</summary>
    public byte[] Snapshots => Derive("herd snapshot 1");

    /// <summary>The secret of the certificate that processes show each other.</summary>
    /// <param name="attempt">Another for each number: not every one can be a key.</param>
    public byte[] Identity(int attempt) => Derive($"herd identity 1.{attempt}");

    private byte[] Derive(string use) => HKDF.Expand(HashAlgorithmName.SHA256, HKDF.Extract(HashAlgorithmName.SHA256, _key), LeastBytes, Encoding.UTF8.GetBytes(use));
}
