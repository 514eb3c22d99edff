using Herd.Contracts.Errors;
using Herd.Gateway.Hosting;
using Herd.Gateway.Scaling;
using Herd.Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>
/// Everything but health needs a tenant: what is added later is closed until it is opened here. What is for operators is had at
/// their port alone, where there is one.
/// </summary>
internal sealed class Authentication(RequestDelegate next, TenantDirectory tenants, Quotas quotas, IOptions<GatewayOptions> options)
{
    private const string Scheme = "Bearer ";
    private const string KeyHeader = "x-api-key";

    private static readonly object Item = new();
    private static readonly Tenant Operator = new("operators", IsOperator: true, new TenantLimits());

    public async Task Invoke(HttpContext context)
    {
        var isScalers = options.Value.ScalerPort > 0 && context.Connection.LocalPort == options.Value.ScalerPort;
        if (isScalers != IsForScalers(context.Request.Path))
        {
            throw new HerdException(HerdError.Forbidden, "What scales pools asks at its own port (Gateway:ScalerPort), and nothing else is had there.");
        }

        if (!isScalers && !IsOpen(context.Request.Path))
        {
            context.Items[Item] = await Find(context);
        }

        await next(context);
    }

    public static Tenant Tenant(HttpContext context) => (Tenant)context.Items[Item]!;

    internal static bool IsOpen(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.Ordinal)
        || path.StartsWithSegments("/grpc.health.v1.Health", StringComparison.Ordinal);

    internal static bool IsForScalers(PathString path) => path.StartsWithSegments(ExternalScalerService.Path, StringComparison.Ordinal);

    internal static bool IsForOperators(PathString path) =>
        path.StartsWithSegments("/herd.v1.ClusterService", StringComparison.Ordinal);

    /// <summary>Read over HTTP 1, so at the public port, with an operator's key.</summary>
    internal static bool IsMetrics(PathString path) => path.StartsWithSegments(MetricsEndpoint.Path, StringComparison.Ordinal);

    private async Task<Tenant> Find(HttpContext context)
    {
        var settings = options.Value;
        var isAdminPort = settings.AdminPort > 0 && context.Connection.LocalPort == settings.AdminPort;
        var forOperators = IsForOperators(context.Request.Path);
        var key = Key(context.Request.Headers);
        if (isAdminPort)
        {
            return !forOperators && !IsReflection(context.Request.Path)
                ? throw new HerdException(HerdError.Forbidden, "This port is for operators only; conversations are had at the others.")
                : settings.AdminKeys.Count == 0 || TenantKeys.Matches(key ?? "", settings.AdminKeys)
                ? Operator
                : throw new HerdException(HerdError.Unauthenticated, "The operators' key is missing or unknown. Send it as 'Authorization: Bearer KEY'.");
        }

        if (IsMetrics(context.Request.Path) && key is not null && TenantKeys.Matches(key, settings.AdminKeys))
        {
            return Operator;
        }

        var tenant = await tenants.Find(key);
        quotas.Count(tenant);
        if (IsMetrics(context.Request.Path) && !tenant.IsOperator)
        {
            throw new HerdException(HerdError.Forbidden, "This is for operators (Gateway:AdminKeys, Gateway:Operators).");
        }

        return !forOperators || (settings.AdminPort == 0 && tenant.IsOperator)
            ? tenant
            : throw new HerdException(
                HerdError.Forbidden,
                settings.AdminPort > 0 ? "This is for operators, at their own port (Gateway:AdminPort)." : "This is for operators (Gateway:Operators).");
    }

    private static bool IsReflection(PathString path) => path.StartsWithSegments("/grpc.reflection.v1alpha.ServerReflection", StringComparison.Ordinal);

    /// <summary>A bearer token, or what Anthropic's clients send.</summary>
    private static string? Key(IHeaderDictionary headers) => headers.Authorization.ToString() is var text
        && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? text[Scheme.Length..].Trim()
            : headers[KeyHeader].ToString();
}
