using Microsoft.Extensions.Options;

namespace Herd.Gateway.Hosting;

/// <summary>
/// Disconnects clients that do not read their stream in time. The minimum data rate of ASP.NET Core does not bound
/// streams: each write adds to the allowed time.
/// </summary>
internal static class SlowClients
{
    /// <summary>Waits for a write, at most Gateway:ClientReadTimeout.</summary>
    /// <exception cref="OperationCanceledException">
    /// The client was disconnected. Its turn ends and can be resumed.
    /// </exception>
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
                services.GetRequiredService<IOptions<GatewayOptions>>().Value.ClientReadTimeout,
                services.GetRequiredService<TimeProvider>());
        }
        catch (TimeoutException e)
        {
            context.Abort();
            throw new OperationCanceledException(
                "The client did not read its stream within Gateway:ClientReadTimeout.", e);
        }
    }
}
