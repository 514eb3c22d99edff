using System.Security.Cryptography;
using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Herd.Gateway.Tests.Tenants;

public sealed class JwtTokensTests : IDisposable
{
    private readonly TokenIssuer _issuer = new();
    private readonly FakeTimeProvider _time = new(TokenIssuer.Now);
    private readonly JwtTokens _tokens;

    public JwtTokensTests() =>
        _tokens = new JwtTokens(Options.Create(new GatewayOptions { Jwt = _issuer.Options }), _time);

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task Find_ValidToken_IsTheTenant() => Assert.Equal("alice", await _tokens.Find(_issuer.Sign()));

    [Fact]
    public async Task Find_InvalidToken_IsNull()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var good = _issuer.Sign();
        var parts = good.Split('.');
        var unsigned = $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.";
        var shared = new JsonWebTokenHandler().CreateToken(TokenIssuer.Describe(
            new SigningCredentials(new SymmetricSecurityKey(File.ReadAllBytes(_issuer.KeysFile)), "HS256")));
        foreach (var wrong in new[]
        {
            _issuer.Sign(other), _issuer.Sign(issuer: "them"), _issuer.Sign(audience: "others"),
            _issuer.Sign(expires: TokenIssuer.Now.AddMinutes(-2)), _issuer.Sign(claim: "name"),
            _issuer.Sign(tenant: ""), _issuer.Sign(tenant: new string('a', 129)),
            unsigned, shared, parts[0] + "." + parts[1] + ".", good[..^6] + "AAAAAA", "a.b.c", "key", "",
        })
        {
            Assert.Null(await _tokens.Find(wrong));
        }
    }

    /// <summary>A token whose reader must understand what Herd does not is refused.</summary>
    [Fact]
    public async Task Find_CriticalHeader_IsNull()
    {
        foreach (var critical in new object[] { new[] { "exp" }, new[] { "b64" }, Array.Empty<string>(), "exp" })
        {
            Assert.Null(await _tokens.Find(_issuer.Sign(headers: new() { ["crit"] = critical, ["b64"] = true })));
        }

        Assert.Equal("alice", await _tokens.Find(_issuer.Sign(headers: new() { ["b64"] = true })));
    }

    [Fact]
    public async Task Find_ExpiredToken_IsNull()
    {
        var token = _issuer.Sign();
        _time.Advance(TimeSpan.FromHours(2));

        Assert.Null(await _tokens.Find(token));
    }
}
