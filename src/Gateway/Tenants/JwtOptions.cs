using Herd.Grains.Hosting;

namespace Herd.Gateway.Tenants;

/// <summary>Which JSON web tokens are let in as bearer tokens.</summary>
public sealed class JwtOptions
{
    /// <summary>The OpenID Connect issuer whose keys are fetched, an https address; empty means <see cref="KeysFile"/>. Default none.</summary>
    public string Authority { get; set; } = "";

    /// <summary>A file with the JSON web key set that tokens are signed with. Default none.</summary>
    public string KeysFile { get; set; } = "";

    /// <summary>What "iss" must say; empty means the authority.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What "aud" must say.</summary>
    public string Audience { get; set; } = "";

    /// <summary>The claim that names the tenant. Default "sub".</summary>
    public string TenantClaim { get; set; } = "sub";

    internal bool IsOn => Authority.Length > 0 || KeysFile.Length > 0;

    internal void Check(OptionErrors errors)
    {
        if (!IsOn)
        {
            return;
        }

        errors.Require(
            Authority.Length == 0 || Authority.StartsWith("https://", StringComparison.Ordinal), $"Gateway:Jwt:Authority '{Authority}' is no https address.");
        errors.Require(KeysFile.Length == 0 || File.Exists(KeysFile), $"Gateway:Jwt:KeysFile '{KeysFile}' is not there.");
        errors.Require(Authority.Length == 0 || KeysFile.Length == 0, "Gateway:Jwt:Authority and Gateway:Jwt:KeysFile exclude each other.");
        errors.Require(Issuer.Length > 0 || Authority.Length > 0, "Gateway:Jwt:Issuer is empty; it says whose tokens are let in.");
        errors.Require(Audience.Length > 0, "Gateway:Jwt:Audience is empty; tokens for others would be let in.");
        errors.Require(TenantClaim.Length > 0, "Gateway:Jwt:TenantClaim is empty.");
    }
}
