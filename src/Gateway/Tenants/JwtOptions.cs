using Herd.Grains.Hosting.Configuration;

namespace Herd.Gateway.Tenants;

/// <summary>The JSON web tokens that are accepted as bearer tokens.</summary>
public sealed class JwtOptions
{
    /// <summary>
    /// The OpenID Connect issuer whose keys are fetched, an https address. Empty means <see cref="KeysFile"/>. Default
    /// none.
    /// </summary>
    public string Authority { get; set; } = "";

    /// <summary>A file with the JSON web key set of the issuer. Default none.</summary>
    public string KeysFile { get; set; } = "";

    /// <summary>The required value of "iss". Empty means the authority.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>The required value of "aud".</summary>
    public string Audience { get; set; } = "";

    /// <summary>The claim that names the tenant. Default "sub".</summary>
    public string TenantClaim { get; set; } = "sub";

    /// <summary>
    /// The beginning of the names of tokens' tenants, before the claim. It keeps them apart from the tenants of the
    /// configuration. Empty keeps the names of version 0.1; then tokens that name a tenant of the configuration are
    /// refused. Default "jwt:".
    /// </summary>
    public string TenantPrefix { get; set; } = "jwt:";

    internal bool IsOn => Authority.Length > 0 || KeysFile.Length > 0;

    internal void Check(OptionErrors errors)
    {
        if (!IsOn)
        {
            return;
        }

        errors.Require(
            Authority.Length == 0 || Authority.StartsWith("https://", StringComparison.Ordinal),
            $"Gateway:Jwt:Authority '{Authority}' is not an https address.");
        errors.Require(
            KeysFile.Length == 0 || File.Exists(KeysFile), $"Gateway:Jwt:KeysFile '{KeysFile}' does not exist.");
        errors.Require(
            Authority.Length == 0 || KeysFile.Length == 0,
            "Gateway:Jwt:Authority and Gateway:Jwt:KeysFile are both set. Set one of them.");
        errors.Require(
            Issuer.Length > 0 || Authority.Length > 0,
            "Gateway:Jwt:Issuer is empty. Set it, so that tokens of other issuers are refused.");
        errors.Require(
            Audience.Length > 0,
            "Gateway:Jwt:Audience is empty. Set it, so that tokens for other services are refused.");
        errors.Require(
            TenantClaim.Length > 0, "Gateway:Jwt:TenantClaim is empty. Set the claim that names the tenant.");
    }
}
