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

    /// <summary>The caller is an operator or a reader, by a key or as a tenant.</summary>
    public const string Reader = "reader";

    /// <summary>The caller has any key: a tenant's, a reader's or an operator's.</summary>
    public const string AnyKey = "any-key";

    public const string TenantScheme = "tenant-key";
    public const string OperatorScheme = "operator-key";

    public static void AddAccessPolicies(this IServiceCollection services)
    {
        // AddAuthentication would also add data protection, which writes keys to the disk. API keys do not need it.
        services.AddAuthenticationCore();
        services.AddWebEncoders();
        new AuthenticationBuilder(services)
            .AddScheme<ApiKeyOptions, ApiKeyHandler>(TenantScheme, null)
            .AddScheme<ApiKeyOptions, ApiKeyHandler>(OperatorScheme, null);
        services.AddSingleton<OperatorKeys>();
        services.AddOptions<ApiKeyOptions>(TenantScheme).Configure<TenantDirectory, IOptions<GatewayOptions>>(
            (scheme, tenants, gateway) =>
            {
                scheme.KeyName = "API key";
                scheme.Find = (context, key) => gateway.Value.PortsOf(context).HasFlag(Ports.Public)
                    ? tenants.Find(key)
                    : Task.FromResult<Tenant?>(null);
            });
        services.AddOptions<ApiKeyOptions>(OperatorScheme).Configure<OperatorKeys>((scheme, keys) =>
        {
            scheme.KeyName = "key of an operator";
            scheme.IsEmpty = keys.IsEmpty;
            scheme.Find = (_, key) => Task.FromResult(keys.Find(key));
        });
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder(TenantScheme).RequireAuthenticatedUser().Build())
            .AddPolicy(AnyKey, policy => policy
                .AddAuthenticationSchemes(TenantScheme, OperatorScheme).RequireAuthenticatedUser())
            .AddPolicy(Operator, policy => policy
                .AddAuthenticationSchemes(OperatorScheme, TenantScheme).RequireRole(TenantIdentity.OperatorRole))
            .AddPolicy(Reader, policy => policy
                .AddAuthenticationSchemes(OperatorScheme, TenantScheme)
                .RequireRole(TenantIdentity.ReaderRole, TenantIdentity.OperatorRole));
    }

    /// <summary>
    /// Lets only operators call endpoints, and readers those that have <see cref="ForReadersAttribute"/>. Each call
    /// leaves a line in the audit trail.
    /// </summary>
    public static TBuilder ForOperators<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var isForReaders = endpoint.Metadata.OfType<ForReadersAttribute>().Any();
            endpoint.Metadata.Add(new AuthorizeAttribute(isForReaders ? Reader : Operator));
            endpoint.Metadata.Add(new Audited());
        });
        return endpoints;
    }
}

/// <summary>An operators' call that changes nothing. Readers may make it too.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ForReadersAttribute : Attribute;

