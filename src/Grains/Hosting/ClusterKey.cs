using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>The secret that the processes of a cluster share, and what is derived from it for each use.</summary>
internal sealed class ClusterKey(IOptions<ClusterOptions> options)
{
    public const int LeastBytes = 32;

    private readonly byte[] _key = File.ReadAllBytes(options.Value.KeyFile);

    /// <summary>What KV caches are sealed with on their way from node to node.</summary>
    public byte[] Snapshots => Derive("herd snapshot 1");

    /// <summary>What calls of a node's link carry.</summary>
    public string LinkToken => Convert.ToHexStringLower(Derive("herd link 1"));

    private byte[] Derive(string use) => HKDF.Expand(HashAlgorithmName.SHA256, HKDF.Extract(HashAlgorithmName.SHA256, _key), LeastBytes, Encoding.UTF8.GetBytes(use));
}
