using Microsoft.AspNetCore.Authorization;

namespace Herd.Gateway.Tenants;

/// <summary>Counts each authorized request for its tenant, and refuses those over the tenant's limit.</summary>
internal sealed class RequestLimit(RequestDelegate next, Quotas quotas)
{
    public async Task Invoke(HttpContext context)
    {
        // Health checks and the scaler do not need a tenant, so they do not count.
        if (context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is null)
        {
            await quotas.Count(context.Tenant());
        }

        await next(context);
    }
}
