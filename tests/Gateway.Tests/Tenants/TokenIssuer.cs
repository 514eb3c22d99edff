using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Herd.Gateway.Tenants;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Herd.Gateway.Tests.Tenants;

/// <summary>Signs JSON web tokens, and has the file of keys that checks them.</summary>
internal sealed class TokenIssuer : IDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TokenIssuer()
    {
        var key = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(
            new ECDsaSecurityKey(ECDsa.Create(_key.ExportParameters(false))) { KeyId = "1" });
        File.WriteAllText(KeysFile, JsonSerializer.Serialize(
            new { keys = new[] { new { kty = key.Kty, kid = key.Kid, crv = key.Crv, x = key.X, y = key.Y } } }));
    }

    public string KeysFile { get; } = Path.GetTempFileName();

    /// <summary>Accepts this issuer's tokens; the claim "org" names the tenant.</summary>
    public JwtOptions Options => new() { KeysFile = KeysFile, Issuer = "us", Audience = "herd", TenantClaim = "org" };

    /// <summary>A token, valid at <see cref="Now"/>, for the tenant alice. Each argument changes a part.</summary>
    public string Sign(
        ECDsa? key = null,
        string issuer = "us",
        string audience = "herd",
        DateTimeOffset? expires = null,
        string claim = "org",
        string tenant = "alice",
        Dictionary<string, object>? headers = null)
    {
        var descriptor = Describe(
            new SigningCredentials(new ECDsaSecurityKey(key ?? _key) { KeyId = "1" }, "ES256"),
            issuer,
            audience,
            expires,
            claim,
            tenant);
        descriptor.AdditionalHeaderClaims = headers;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    public static SecurityTokenDescriptor Describe(
        SigningCredentials credentials,
        string issuer = "us",
        string audience = "herd",
        DateTimeOffset? expires = null,
        string claim = "org",
        string tenant = "alice") => new()
    {
        Issuer = issuer,
        Audience = audience,
        Expires = (expires ?? Now.AddHours(1)).UtcDateTime,
        NotBefore = Now.AddHours(-1).UtcDateTime,
        IssuedAt = Now.AddHours(-1).UtcDateTime,
        Subject = new ClaimsIdentity([new Claim(claim, tenant)]),
        SigningCredentials = credentials,
    };

    public void Dispose()
    {
        _key.Dispose();
        File.Delete(KeysFile);
    }
}
