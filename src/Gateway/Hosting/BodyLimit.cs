using Herd.Contracts.Errors;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>
/// Refuses bodies over the limit by their announced length. What is sent all the same is read and dropped, within
/// bounds: many clients write the whole body before they read, and would see a broken pipe instead of the error.
/// </summary>
internal sealed class BodyLimit(RequestDelegate next, IOptions<GatewayOptions> options)
{
    private const int DroppedAtMost = 4;

    public async Task Invoke(HttpContext context)
    {
        var limit = options.Value.MaxBodyBytes;
        if (context.Request.ContentLength > limit)
        {
            var feature = context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
            feature.MaxRequestBodySize = (long)limit * DroppedAtMost;
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            throw new HerdException(
                HerdError.TooLarge, $"The body has {context.Request.ContentLength} bytes; at most {limit} are read.");
        }

        await next(context);
    }
}
