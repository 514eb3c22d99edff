using System.Security.Claims;

namespace Herd.Gateway.Tenants;

/// <summary>The identity of an authenticated request: its tenant.</summary>
internal sealed class TenantIdentity : ClaimsIdentity
{
    public const string OperatorRole = "operator";
    public const string ReaderRole = "reader";

    public TenantIdentity(Tenant tenant, string scheme)
        : base(scheme)
    {
        Tenant = tenant;
        AddClaim(new Claim(NameClaimType, tenant.Name));
        if (tenant.Role != TenantRole.User)
        {
            AddClaim(new Claim(RoleClaimType, tenant.Role == TenantRole.Operator ? OperatorRole : ReaderRole));
        }
    }

    public Tenant Tenant { get; }
}

internal static class TenantRequests
{
    /// <summary>The tenant of a request. Every endpoint that needs a tenant has a policy that demands one.</summary>
    public static Tenant Tenant(this HttpContext context) =>
        context.User.Identities.OfType<TenantIdentity>().First().Tenant;
}
