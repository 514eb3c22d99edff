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
    private readonly Audit _audit;
    private readonly ILogger<TenantDirectory> _logger;
    private readonly FileWatch? _watch;
    private volatile TenantTable _tenants;

    /// <exception cref="InvalidDataException">The file of tenants is invalid.</exception>
    public TenantDirectory(
        IOptions<GatewayOptions> options,
        JwtTokens tokens,
        Audit audit,
        TimeProvider time,
        ILogger<TenantDirectory> logger)
    {
        (_options, _tokens, _audit, _logger) = (options.Value, tokens, audit, logger);
        _tenants = Read();
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
            return new Tenant(Tenant.Everybody, TenantRole.User, _options.Limits);
        }

        return key is not { Length: > 0 } ? null
            : _tenants.FindByKey(key) is { } known ? known with { Key = TenantKeys.NameOf(key) }
            : await _tokens.Find(key) is { } subject ? OfToken(subject)
            : null;
    }

    /// <summary>
    /// The tenant of a token's subject. Its name has a prefix, so that whoever issues tokens cannot name a tenant of
    /// the configuration. Without the prefix such a token is refused.
    /// </summary>
    private Tenant? OfToken(string subject)
    {
        var name = _options.Jwt.TenantPrefix + subject;
        var known = _tenants.FindByName(name);
        return _options.Jwt.TenantPrefix.Length == 0 && known is not null
            ? null
            : (known ?? new Tenant(name, TenantRole.User, _options.Limits)) with { Key = TenantKeys.OfToken };
    }

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        try
        {
            var before = _tenants;
            _tenants = Read();
            TenantLog.Reloaded(_logger, _options.TenantsFile, _tenants.Count);
            foreach (var (tenant, change) in before.ChangesTo(_tenants))
            {
                _audit.TenantChanged(_options.TenantsFile, tenant, change);
            }
        }
        catch (InvalidDataException e)
        {
            _audit.TenantsNotChanged(_options.TenantsFile, e.Message);
        }
    }

    private TenantTable Read()
    {
        var inFile = _options.TenantsFile.Length > 0
            ? TenantFile.Read(_options.TenantsFile, _options.Jwt.TenantPrefix)
            : new Dictionary<string, TenantEntry>();
        return new TenantTable(
        [
            .. _options.Tenants.Select(pair => (
                new Tenant(pair.Key, RoleOf(pair.Key), _options.Limits),
                TenantKeys.Split(pair.Value).AsEnumerable())),
            .. inFile.Select(pair => (
                new Tenant(pair.Key, pair.Value.Role, pair.Value.Limits ?? _options.Limits),
                pair.Value.Keys.AsEnumerable())),
        ]);
    }

    private TenantRole RoleOf(string name) => _options.Operators.Contains(name) ? TenantRole.Operator
        : _options.Readers.Contains(name) ? TenantRole.Reader
        : TenantRole.User;
}

internal static partial class TenantLog
{
    [LoggerMessage(
        EventId = 810,
        Level = LogLevel.Information,
        Message = "The tenants were read again from {File}: {Count} tenants")]
    public static partial void Reloaded(ILogger logger, string file, int count);
}
