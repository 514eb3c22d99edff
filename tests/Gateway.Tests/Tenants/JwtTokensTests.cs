using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Herd.Gateway.Tests.Tenants;

public sealed class JwtTokensTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _keys = Path.GetTempFileName();
    private readonly FakeTimeProvider _time = new(Now);
    private readonly JwtTokens _tokens;

    public JwtTokensTests()
    {
        var key = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(
            new ECDsaSecurityKey(ECDsa.Create(_key.ExportParameters(false))) { KeyId = "1" });
        File.WriteAllText(_keys, JsonSerializer.Serialize(
            new { keys = new[] { new { kty = key.Kty, kid = key.Kid, crv = key.Crv, x = key.X, y = key.Y } } }));
        _tokens = new JwtTokens(
            Options.Create(new GatewayOptions
            {
                Jwt = new JwtOptions { KeysFile = _keys, Issuer = "us", Audience = "herd", TenantClaim = "org" },
            }), _time);
    }

    public void Dispose()
    {
        _key.Dispose();
        File.Delete(_keys);
    }

    [Fact]
    public async Task Find_ValidToken_IsTheTenant() => Assert.Equal("alice", await _tokens.Find(Sign()));

    [Fact]
    public async Task Find_InvalidToken_IsNull()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = Sign();
        var parts = good.Split('.');
        var unsigned = $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.";
        var shared = new JsonWebTokenHandler().CreateToken(
            Describe(new SigningCredentials(new SymmetricSecurityKey(File.ReadAllBytes(_keys)), "HS256")));
        foreach (var wrong in new[]
        {
            Sign(other), Sign(
                issuer: "them"), Sign(audience: "others"), Sign(expires: Now.AddMinutes(-2)), Sign(claim: "name"),
            unsigned, shared, parts[0] + "." + parts[1] + ".", good[..^6] + "AAAAAA", "a.b.c", "key", "",
        })
        {
            Assert.Null(await _tokens.Find(wrong));
        }
    }

    [Fact]
    public async Task Find_ExpiredToken_IsNull()
    {
        var token = Sign();
        _time.Advance(TimeSpan.FromHours(2));

        Assert.Null(await _tokens.Find(token));
    }

    private string Sign(
        ECDsa? key = null,
        string issuer = "us",
        string audience = "herd",
        DateTimeOffset? expires = null,
        string claim = "org") =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(Describe(
            new SigningCredentials(new ECDsaSecurityKey(key ?? _key) { KeyId = "1" }, "ES256"),
            issuer,
            audience,
            expires,
            claim));

    private static SecurityTokenDescriptor Describe(
        SigningCredentials credentials,
        string issuer = "us",
        string audience = "herd",
        DateTimeOffset? expires = null,
        string claim = "org") => new()
    {
        Issuer = issuer,
        Audience = audience,
        Expires = (expires ?? Now.AddHours(1)).UtcDateTime,
        NotBefore = Now.AddHours(-1).UtcDateTime,
        IssuedAt = Now.AddHours(-1).UtcDateTime,
        Subject = new ClaimsIdentity([new Claim(claim, "alice")]),
        SigningCredentials = credentials,
    };
}
