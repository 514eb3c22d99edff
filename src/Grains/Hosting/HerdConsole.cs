using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting;

/// <summary>One line an event, with its time, on standard output.</summary>
public static class HerdConsole
{
    public static ILoggingBuilder AddHerdConsole(this ILoggingBuilder logging) => logging
        .ClearProviders()
        .AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            options.UseUtcTimestamp = true;
            options.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        })
        .AddFilter("Orleans", LogLevel.Warning)
        .AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error)
        .AddFilter("Orleans.Runtime.Silo", LogLevel.Error)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
        .AddFilter("Grpc", LogLevel.Warning)
        .AddFilter("Polly", LogLevel.None);
}
