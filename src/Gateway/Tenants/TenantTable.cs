using System.Collections.Frozen;

namespace Herd.Gateway.Tenants;

/// <summary>The configured tenants, by the hashes of their keys and by their names.</summary>
internal sealed class TenantTable
{
    private readonly FrozenDictionary<string, Tenant> _byHash;
    private readonly FrozenDictionary<string, Tenant> _byName;

    /// <exception cref="InvalidDataException">Two tenants have the same key or the same name.</exception>
    public TenantTable(IEnumerable<(Tenant Tenant, IEnumerable<string> Hashes)> tenants)
    {
        var byHash = new Dictionary<string, Tenant>(StringComparer.Ordinal);
        var byName = new Dictionary<string, Tenant>(StringComparer.Ordinal);
        foreach (var (tenant, hashes) in tenants)
        {
            if (!byName.TryAdd(tenant.Name, tenant))
            {
                throw new InvalidDataException(
                    $"The tenant '{tenant.Name}' is in Gateway:Tenants and in Gateway:TenantsFile. Name it once.");
            }

            foreach (var hash in hashes.Select(hash => hash.ToLowerInvariant()).Distinct())
            {
                if (!byHash.TryAdd(hash, tenant))
                {
                    throw new InvalidDataException(
                        $"The tenants '{tenant.Name}' and '{byHash[hash].Name}' have the same key. "
                        + "Give each keys of its own.");
                }
            }
        }

        (_byHash, _byName) = (byHash.ToFrozenDictionary(), byName.ToFrozenDictionary());
    }

    public int Count => _byName.Count;

    /// <summary>The lookup is by hash, so its duration does not depend on how much of a key is right.</summary>
    public Tenant? FindByKey(string key) => _byHash.GetValueOrDefault(TenantKeys.Hash(key));

    public Tenant? FindByName(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The tenants that are different in a later table, each with what changed.</summary>
    public IEnumerable<(string Tenant, string Change)> ChangesTo(TenantTable later) =>
        from name in _byName.Keys.Union(later._byName.Keys).Order(StringComparer.Ordinal)
        let change = Change(name, later)
        where change.Length > 0
        select (name, change);

    private string Change(string name, TenantTable later)
    {
        if ((FindByName(name), later.FindByName(name)) is not ({ } old, { } now))
        {
            return FindByName(name) is null ? "was added" : "was removed";
        }

        string[] parts =
        [
            .. KeysOf(name).SetEquals(later.KeysOf(name)) ? Array.Empty<string>() : ["keys"],
            .. old.Role == now.Role ? Array.Empty<string>() : [$"role {old.Role} to {now.Role}"],
            .. old.Limits == now.Limits ? Array.Empty<string>() : ["limits"],
        ];
        return parts.Length == 0 ? "" : $"changed ({string.Join(", ", parts)})";
    }

    private HashSet<string> KeysOf(string name) =>
        [.. _byHash.Where(pair => pair.Value.Name == name).Select(pair => pair.Key)];
}
