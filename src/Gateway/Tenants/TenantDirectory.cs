using System.Collections.Frozen;
using Herd.Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>
/// Finds tenants by their API keys and tokens. The file of tenants is read again when it changes. If it cannot be read,
/// the tenants stay.
/// </summary>
internal sealed class TenantDirectory : IDisposable
{
    private readonly GatewayOptions _options;
    private readonly JwtTokens _tokens;
    private readonly ILogger<TenantDirectory> _logger;
    private readonly FileWatch? _watch;
    private volatile FrozenDictionary<string, Tenant> _byHash;

    /// <exception cref="InvalidDataException">The file of tenants is invalid.</exception>
    public TenantDirectory(
        IOptions<GatewayOptions> options, JwtTokens tokens, TimeProvider time, ILogger<TenantDirectory> logger)
    {
        (_options, _tokens, _logger) = (options.Value, tokens, logger);
        _byHash = Read();
        if (_options.TenantsFile.Length > 0)
        {
            _watch = new FileWatch(Reload, time, _options.TenantsFile);
        }
    }

    /// <summary>
    /// The tenant of a key or token. Without keys in the configuration, every caller is the same tenant.
    /// </summary>
    /// <returns>Null if the key is missing or unknown.</returns>
    public async Task<Tenant?> Find(string? key)
    {
        if (!_options.HasKeys)
        {
            return new Tenant(Tenant.Everybody, IsOperator: true, _options.Limits);
        }

        if (key is { Length: > 0 })
        {
            // The lookup is by hash, so its duration does not depend on how much of a key is right.
            if (_byHash.GetValueOrDefault(TenantKeys.Hash(key)) is { } known)
            {
                return known;
            }

            if (await _tokens.Find(key) is { } name)
            {
                return _byHash.Values.FirstOrDefault(tenant => tenant.Name == name)
                    ?? new Tenant(name, IsOperator: false, _options.Limits);
            }
        }

        return null;
    }

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        try
        {
            _byHash = Read();
            TenantLog.Reloaded(_logger, _options.TenantsFile, _byHash.Values.Distinct().Count());
        }
        catch (InvalidDataException e)
        {
            TenantLog.NotReloaded(_logger, e.Message);
        }
    }

    private FrozenDictionary<string, Tenant> Read()
    {
        var byHash = new Dictionary<string, Tenant>(StringComparer.Ordinal);
        foreach (var (name, hashes) in _options.Tenants)
        {
            Add(new Tenant(name, _options.Operators.Contains(name), _options.Limits), TenantKeys.Split(hashes));
        }

        if (_options.TenantsFile.Length > 0)
        {
            foreach (var (name, entry) in TenantFile.Read(_options.TenantsFile))
            {
                Add(new Tenant(name, entry.Operator, entry.Limits ?? _options.Limits), entry.Keys);
            }
        }

        return byHash.ToFrozenDictionary();

        void Add(Tenant tenant, IEnumerable<string> hashes)
        {
            foreach (var hash in hashes)
            {
                if (!byHash.TryAdd(hash.ToLowerInvariant(), tenant))
                {
                    throw new InvalidDataException(
                        $"The tenants '{tenant.Name}' and '{byHash[hash.ToLowerInvariant()].Name}' have the same key. "
                        + "Give each keys of its own.");
                }
            }
        }
    }
}

internal static partial class TenantLog
{
    [LoggerMessage(
        EventId = 810,
        Level = LogLevel.Information,
        Message = "The tenants were read again from {File}: {Count} tenants")]
    public static partial void Reloaded(ILogger logger, string file, int count);

    [LoggerMessage(EventId = 811, Level = LogLevel.Error, Message = "The tenants were not replaced: {Reason}")]
    public static partial void NotReloaded(ILogger logger, string reason);
}
