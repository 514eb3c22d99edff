using Herd.Contracts.Errors;

namespace Herd.Gateway.Tenants;

/// <summary>Everything but health needs a tenant: what is added later is closed until it is opened here.</summary>
internal sealed class Authentication(RequestDelegate next, TenantDirectory tenants)
{
    private static readonly object Item = new();

    public async Task Invoke(HttpContext context)
    {
        try
        {
            if (!IsOpen(context.Request.Path))
            {
                context.Items[Item] = tenants.Find(context.Request.Headers.Authorization);
            }
        }
        catch (HerdException e) when (IsGrpc(context.Request))
        {
            context.Response.ContentType = context.Request.ContentType;
            context.Response.Headers["grpc-status"] = "16";
            context.Response.Headers["grpc-message"] = Uri.EscapeDataString(e.Message);
            return;
        }

        await next(context);
    }

    public static string Tenant(HttpContext context) => (string)context.Items[Item]!;

    private static bool IsGrpc(HttpRequest request) =>
        request.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) == true;

    private static bool IsOpen(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.Ordinal)
        || path.StartsWithSegments("/grpc.health.v1.Health", StringComparison.Ordinal);
}
