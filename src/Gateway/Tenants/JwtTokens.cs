using Herd.Gateway.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Herd.Gateway.Tenants;

/// <summary>Finds the tenant of a JSON web token that another service signed.</summary>
internal sealed class JwtTokens
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false };
    private readonly JwtOptions _options;
    private readonly TokenValidationParameters? _rules;

    public JwtTokens(IOptions<GatewayOptions> options, TimeProvider time)
    {
        _options = options.Value.Jwt;
        if (!_options.IsOn)
        {
            return;
        }

        var authority = _options.Authority.TrimEnd('/');
        _rules = new TokenValidationParameters
        {
            ValidIssuer = _options.Issuer.Length > 0 ? _options.Issuer : authority,
            ValidAudience = _options.Audience,
            RequireExpirationTime = true,
            RequireSignedTokens = true,

            // Public keys only. With shared secrets, a public key used as a secret would let anybody sign.
            ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"],
            LifetimeValidator = (notBefore, expires, _, _) =>
                expires > time.GetUtcNow().UtcDateTime - Skew
                && (notBefore ?? DateTime.MinValue) < time.GetUtcNow().UtcDateTime + Skew,
        };
        if (authority.Length > 0)
        {
            _rules.ConfigurationManager = new ConfigurationManager<OpenIdConnectConfiguration>(
                $"{authority}/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever());
        }
        else
        {
            _rules.IssuerSigningKeys = new JsonWebKeySet(File.ReadAllText(_options.KeysFile)).GetSigningKeys();
        }
    }

    /// <returns>The claim that names the tenant, 1 to 128 characters; null if the token is invalid.</returns>
    public async Task<string?> Find(string token)
    {
        if (_rules is null || !_handler.CanReadToken(token))
        {
            return null;
        }

        var result = await _handler.ValidateTokenAsync(token, _rules);
        return result.IsValid
            && !HasCriticalHeaders((JsonWebToken)result.SecurityToken)
            && result.Claims.TryGetValue(_options.TenantClaim, out var name)
            && name is string { Length: >= 1 and <= 128 } tenant
                ? tenant
                : null;
    }

    /// <summary>
    /// True if the token says that its reader must understand further headers (RFC 7515, 4.1.11). The library reads
    /// past that, and Herd understands none.
    /// </summary>
    private static bool HasCriticalHeaders(JsonWebToken token) => token.TryGetHeaderValue<object>("crit", out _);
}
