using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting;

/// <summary>One line an event, with its time, on standard output: for people, or as JSON, with the ids of the trace where there is one.</summary>
public static class HerdConsole
{
    private const string Timestamp = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static void AddHerdConsole(this IHostApplicationBuilder builder)
    {
        var format = ClusterOptions.Read(builder.Configuration).LogFormat;
        var logging = builder.Logging.ClearProviders();
        if (format == LogFormat.Json)
        {
            logging
                .Configure(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId)
                .AddJsonConsole(options =>
                {
                    options.IncludeScopes = true;
                    options.TimestampFormat = Timestamp.TrimEnd();
                    options.UseUtcTimestamp = true;
                });
        }
        else
        {
            logging.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.TimestampFormat = Timestamp;
                options.UseUtcTimestamp = true;
                options.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            });
        }

        logging
            .AddFilter("Orleans", LogLevel.Warning)
            .AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error)
            .AddFilter("Orleans.Runtime.Silo", LogLevel.Error)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("Polly", LogLevel.None);
    }
}

/// <summary>What log lines look like.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>An object a line, for what collects logs.</summary>
    Json,
}
