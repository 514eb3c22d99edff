using Herd.Gateway.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>
/// The authorization policies. An endpoint without a policy needs a tenant's key, and so does a path without an
/// endpoint. Others name their policy where they are mapped, or allow everybody.
/// </summary>
internal static class AccessPolicies
{
    /// <summary>The caller is an operator: by an operator's key, or as a tenant that is one.</summary>
    public const string Operator = "operator";

    /// <summary>The caller has a tenant's key or an operator's.</summary>
    public const string AnyKey = "any-key";

    public const string TenantScheme = "tenant-key";
    public const string OperatorScheme = "operator-key";

    private static readonly Tenant Operators = new("operators", IsOperator: true, new TenantLimits());

    public static void AddAccessPolicies(this IServiceCollection services)
    {
        // AddAuthentication would also add data protection, which writes keys to the disk. API keys do not need it.
        services.AddAuthenticationCore();
        services.AddWebEncoders();
        new AuthenticationBuilder(services)
            .AddScheme<ApiKeyOptions, ApiKeyHandler>(TenantScheme, null)
            .AddScheme<ApiKeyOptions, ApiKeyHandler>(OperatorScheme, null);
        services.AddOptions<ApiKeyOptions>(TenantScheme).Configure<TenantDirectory, IOptions<GatewayOptions>>(
            (scheme, tenants, gateway) =>
            {
                scheme.KeyName = "API key";
                scheme.Find = (context, key) => gateway.Value.PortsOf(context).HasFlag(Ports.Public)
                    ? tenants.Find(key)
                    : Task.FromResult<Tenant?>(null);
            });
        services.AddOptions<ApiKeyOptions>(OperatorScheme).Configure<IOptions<GatewayOptions>>((scheme, gateway) =>
        {
            scheme.KeyName = "key of an operator";
            scheme.Find = (context, key) => Task.FromResult(IsOperator(gateway.Value, context, key) ? Operators : null);
        });
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder(TenantScheme).RequireAuthenticatedUser().Build())
            .AddPolicy(AnyKey, policy => policy
                .AddAuthenticationSchemes(TenantScheme, OperatorScheme).RequireAuthenticatedUser())
            .AddPolicy(Operator, policy => policy
                .AddAuthenticationSchemes(OperatorScheme, TenantScheme).RequireRole(TenantIdentity.OperatorRole));
    }

    /// <summary>Without operators' keys, everybody at the operators' own port is one.</summary>
    private static bool IsOperator(GatewayOptions options, HttpContext context, string? key) =>
        options.AdminKeys.Count > 0
            ? key is not null && TenantKeys.Matches(key, options.AdminKeys)
            : options.PortsOf(context) == Ports.Operators;
}
