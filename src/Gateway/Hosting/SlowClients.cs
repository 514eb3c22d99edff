using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>
/// Clients that do not read what was sent: they are waited for a while, then cut off. ASP.NET Core's own bound is no help for streams: every
/// write adds to the time that it allows.
/// </summary>
internal static class SlowClients
{
    /// <summary>Waits for a write, but not for ever.</summary>
    /// <exception cref="OperationCanceledException">The client was cut off; its turn ends, and can be gone on with.</exception>
    public static async Task WithReadTimeout(this Task write, HttpContext context)
    {
        if (write.IsCompleted)
        {
            await write;
            return;
        }

        var services = context.RequestServices;
        try
        {
            await write.WaitAsync(
                services.GetRequiredService<IOptions<GatewayOptions>>().Value.ReadTime, services.GetRequiredService<TimeProvider>());
        }
        catch (TimeoutException e)
        {
            context.Abort();
            throw new OperationCanceledException("The client reads too slowly.", e);
        }
    }
}
