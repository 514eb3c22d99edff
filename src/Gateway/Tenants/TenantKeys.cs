using System.Security.Cryptography;
using System.Text;

namespace Herd.Gateway.Tenants;

/// <summary>The hashes of API keys. Keys themselves are not kept.</summary>
internal static class TenantKeys
{
    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    public static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigit);

    public static string[] Split(string hashes) =>
        hashes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>
    /// True if one of the hashes is the key's. The duration does not depend on the key or the hashes.
    /// </summary>
    public static bool Matches(string key, IEnumerable<string> hashes)
    {
        var hash = Encoding.ASCII.GetBytes(Hash(key));
        return hashes.Aggregate(false, (found, one) => Equals(one) | found);

        bool Equals(string one) =>
            CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(one.ToLowerInvariant()));
    }
}
