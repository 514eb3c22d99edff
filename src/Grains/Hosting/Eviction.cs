using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting;

/// <summary>
/// What a process does that finds itself declared dead by the others, as one does that was frozen for long: it stops, and
/// <see cref="HerdProcess"/> starts it anew as another member. What it did is fenced off by then.
/// </summary>
internal sealed class Eviction(IHostApplicationLifetime lifetime, ILogger<Eviction> logger) : IFatalErrorHandler
{
    /// <summary>Whether it happened.</summary>
    public bool WasEvicted { get; private set; }

    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        WasEvicted = true;
        EvictionLog.Evicted(logger, context ?? exception?.Message ?? "no reason was given");
        lifetime.StopApplication();
    }
}

internal static partial class EvictionLog
{
    [LoggerMessage(EventId = 200, Level = LogLevel.Error, Message = "This process is no longer a member of the cluster and joins it anew: {Reason}")]
    public static partial void Evicted(ILogger logger, string reason);
}
