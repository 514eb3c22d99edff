using System.Security.Cryptography;
using System.Text;
using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>Tells tenants apart by their API keys, of which only hashes are known.</summary>
internal sealed class TenantDirectory(IOptions<GatewayOptions> options)
{
    private const string Everybody = "default";
    private const string Scheme = "Bearer ";

    private readonly Dictionary<string, string> _byHash = options.Value.Tenants.ToDictionary(
        tenant => tenant.Value, tenant => tenant.Key, StringComparer.OrdinalIgnoreCase);

    /// <summary>The tenant an Authorization header belongs to.</summary>
    /// <exception cref="HerdException">Keys are asked for, and this is none.</exception>
    public string Find(string? authorization)
    {
        if (_byHash.Count == 0)
        {
            return Everybody;
        }

        var key = authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true ? authorization[Scheme.Length..] : "";
        return _byHash.GetValueOrDefault(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key))))
            ?? throw new HerdException(
                HerdError.Unauthenticated, "The API key is missing or unknown. Send it as 'Authorization: Bearer KEY'.");
    }
}
