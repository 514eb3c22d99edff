using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Herd.Contracts.Nodes;

/// <summary>Names the beginning of a conversation, so that a gateway can tell where its KV cache is at hand.</summary>
public static class PromptPrefix
{
    /// <summary>The digest of a tenant's system message, never 0; 0 without one. Other tenants' digests tell nothing.</summary>
    public static ulong Digest(string tenant, string? system) => system is null
        ? 0
        : BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}\0{system}"))) | 1;
}
