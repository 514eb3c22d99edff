using System.Security.Cryptography;
using System.Text;

namespace Herd.Gateway.Tenants;

/// <summary>API keys, of which only hashes are known.</summary>
internal static class TenantKeys
{
    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    public static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigit);

    public static string[] Split(string hashes) => hashes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Whether one of the hashes is the key's; how long it takes says nothing of them.</summary>
    public static bool Matches(string key, IEnumerable<string> hashes)
    {
        var hash = Encoding.ASCII.GetBytes(Hash(key));
        return hashes.Aggregate(
            false, (found, one) => CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(one.ToLowerInvariant())) | found);
    }
}
