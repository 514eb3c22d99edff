using Herd.Contracts.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>
/// Refuses bodies over the limit by their Content-Length. The body is read and dropped, up to a bound: many clients
/// write the whole body before they read, and would see a broken pipe instead of the error.
/// </summary>
internal sealed class BodyLimit(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private const int MaxDropped = 4;

    public async Task Invoke(HttpContext context)
    {
        var limit = options.Value.MaxBodyBytes;
        if (context.Request.ContentLength > limit)
        {
            var feature = context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
            feature.MaxRequestBodySize = (long)limit * MaxDropped;
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            throw new HerdException(
                HerdError.TooLarge,
                $"The body has {context.Request.ContentLength} bytes. Send at most {limit} (Gateway:MaxBodyBytes).");
        }

        await next(context);
    }
}
