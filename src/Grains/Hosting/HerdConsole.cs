using Herd.Grains.Hosting.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting;

/// <summary>Logs one line an event to standard output: as text, or as JSON with the ids of the trace.</summary>
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
                .Configure(factory =>
                    factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId)
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

        // Of two rules for one category the later wins: Logging:LogLevel in the configuration changes the levels above.
        logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
    }
}

/// <summary>The format of log lines.</summary>
public enum LogFormat
{
    /// <summary>Text for people.</summary>
    Text,

    /// <summary>A JSON object on each line, for log collectors.</summary>
    Json,
}
