using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// Stops a process that the other members have declared dead, for example because it was frozen, or slow while it
/// joined. <see cref="HerdProcess"/> starts it again as a new member. Its earlier work is fenced.
/// </summary>
internal sealed class Eviction(IHostApplicationLifetime lifetime, ILogger<Eviction> logger) : IFatalErrorHandler
{
    /// <summary>True if this process was declared dead.</summary>
    public bool WasEvicted { get; private set; }

    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        WasEvicted = true;
        EvictionLog.Evicted(logger, context ?? exception?.Message ?? "no reason given");
        lifetime.StopApplication();
    }
}

internal static partial class EvictionLog
{
    [LoggerMessage(
        EventId = 200,
        Level = LogLevel.Error,
        Message = "This process was declared dead and joins the cluster as a new member: {Reason}")]
    public static partial void Evicted(ILogger logger, string reason);
}
