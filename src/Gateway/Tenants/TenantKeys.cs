using System.Security.Cryptography;
using System.Text;

namespace Herd.Gateway.Tenants;

/// <summary>The hashes of API keys. Keys themselves are not kept.</summary>
internal static class TenantKeys
{
    public static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    /// <summary>The name of JSON web tokens in the ledger.</summary>
    public const string OfToken = "jwt";

    private const int NameLength = 12;

    /// <summary>A name of a key that does not reveal it: the beginning of its hash.</summary>
    public static string NameOf(string key) => Hash(key)[..NameLength];

    public static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigit);

    public static string[] Split(string hashes) =>
        hashes.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>
    /// The index of the key's hash, the first of several; -1 if there is none. The duration does not depend on the key
    /// or the hashes.
    /// </summary>
    public static int IndexOf(string key, IReadOnlyList<string> hashes)
    {
        var hash = Encoding.ASCII.GetBytes(Hash(key));
        var found = -1;
        for (var i = hashes.Count - 1; i >= 0; i--)
        {
            found = Equals(hashes[i]) ? i : found;
        }

        return found;

        bool Equals(string one) =>
            CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(one.ToLowerInvariant()));
    }
}
