using System.Security.Cryptography;
using System.Text;

namespace Herd.Testing;

/// <summary>Keys of tenants and operators.</summary>
public static class ApiKeys
{
    /// <summary>A key as the configuration has it: its SHA-256, in lower-case hexadecimal.</summary>
    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
