using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Herd.Contracts.Nodes;

/// <summary>
/// Digests of the beginnings of conversations, by which gateways find nodes with a KV cache of the same beginning.
/// </summary>
public static class PromptPrefix
{
    /// <summary>The digest of a system message, never 0; 0 without one. It differs between tenants.</summary>
    public static ulong Digest(string tenant, string? system) => system is null
        ? 0
        : BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}\0{system}"))) | 1;
}
