using Herd.Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>The keys for operators' calls that belong to no tenant.</summary>
internal sealed class OperatorKeys
{
    private readonly Tenant[] _holders;
    private readonly string[] _hashes;

    public OperatorKeys(IOptions<GatewayOptions> options)
    {
        var gateway = options.Value;
        (string Hash, TenantRole Role)[] keys =
        [
            .. gateway.AdminKeys.Select(hash => (hash, TenantRole.Operator)),
            .. gateway.AdminKeyFile.Length > 0
                ? [(TenantKeys.Hash(File.ReadAllText(gateway.AdminKeyFile).Trim()), TenantRole.Operator)]
                : Array.Empty<(string, TenantRole)>(),
            .. gateway.ReaderKeys.Select(hash => (hash, TenantRole.Reader)),
        ];
        _hashes = [.. keys.Select(key => key.Hash)];
        _holders = [.. keys.Select(key => new Tenant(NameOf(key.Hash), key.Role, new TenantLimits()))];
    }

    /// <summary>True if there are none. Then nobody may make operators' calls by such a key.</summary>
    public bool IsEmpty => _hashes.Length == 0;

    /// <returns>The holder of a key; null if the key is missing or unknown.</returns>
    public Tenant? Find(string? key) =>
        key is null || TenantKeys.IndexOf(key, _hashes) is not (>= 0 and var index) ? null : _holders[index];

    /// <summary>A name for the audit trail. It tells keys apart and does not reveal them.</summary>
    private static string NameOf(string hash) => $"key {hash[..8].ToLowerInvariant()}";
}
