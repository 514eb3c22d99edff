using System.Security.Cryptography;
using System.Text;

namespace Herd.Grains.Hosting.Identity;

/// <summary>The secret that the processes of a cluster share, and the keys derived from it.</summary>
/// <param name="keyFile">The file of the secret.</param>
internal sealed class ClusterKey(string keyFile)
{
    public const int MinBytes = 32;

    private readonly byte[] _key = File.ReadAllBytes(keyFile);

    /// <summary>The key that seals KV caches between nodes.</summary>
    public byte[] Snapshots => Derive("herd snapshot 1");

    /// <summary>The key of the digests of suspect content.</summary>
    public byte[] PoisonTurns => Derive("herd poison 1");

    /// <summary>The private key of the cluster's certificate.</summary>
    /// <param name="attempt">
    /// The number of the attempt. Not every number is a valid key, so each attempt gives another one.
    /// </param>
    public byte[] Identity(int attempt) => Derive($"herd identity 1.{attempt}");

    private byte[] Derive(string use) => HKDF.Expand(
        HashAlgorithmName.SHA256, HKDF.Extract(HashAlgorithmName.SHA256, _key), MinBytes, Encoding.UTF8.GetBytes(use));
}
