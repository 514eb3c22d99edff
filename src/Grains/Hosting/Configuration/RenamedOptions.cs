using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Hosting.Configuration;

/// <summary>
/// Accepts the old names of renamed options for one version. The new name wins if both are set. Each old name that is
/// used is logged once at start.
/// </summary>
internal static class RenamedOptions
{
    /// <summary>Old and new names. Remove a line one version after it was added; CHANGELOG.md lists them.</summary>
    public static IReadOnlyList<(string Old, string New)> All { get; } =
    [
        ("Routing:BringsKv", "Routing:PullsKv"),
        ("Routing:Silence", "Routing:ReportTimeout"),
        ("Rebalance:Every", "Rebalance:Interval"),
        ("Rebalance:Begin", "Rebalance:StartThreshold"),
        ("Rebalance:End", "Rebalance:StopThreshold"),
        ("Rebalance:Rest", "Rebalance:Cooldown"),
        ("Rebalance:MostPerMinute", "Rebalance:MaxMovesPerMinute"),
        ("Scaling:Fill", "Scaling:TargetUtilization"),
        ("Scaling:Ease", "Scaling:ScaleDownThreshold"),
        ("Scaling:InAfter", "Scaling:ScaleDownDelay"),
        ("Scaling:KeepFor", "Scaling:KvRetention"),
        ("Scaling:WakeTime", "Scaling:WakeTimeout"),
        ("Node:MaxStretch", "Node:MaxStepSlowdown"),
        ("Node:DrainTime", "Node:DrainTimeout"),
        ("Gateway:MaxWait", "Gateway:MaxPredictedWait"),
        ("Gateway:ReadTime", "Gateway:ClientReadTimeout"),
    ];

    /// <summary>Copies the values of old names to the new ones.</summary>
    public static void AddRenamedOptions(this IHostApplicationBuilder builder)
    {
        var used = All.Where(renamed => builder.Configuration[renamed.Old] is not null).ToList();
        builder.Configuration.AddInMemoryCollection(used
            .Where(renamed => builder.Configuration[renamed.New] is null)
            .Select(renamed => KeyValuePair.Create(renamed.New, builder.Configuration[renamed.Old])));
        builder.Services.AddHostedService(services => new RenamedOptionsLog(
            used, services.GetRequiredService<ILogger<RenamedOptionsLog>>()));
    }
}

/// <summary>Logs the old names that are used.</summary>
internal sealed partial class RenamedOptionsLog(
    IReadOnlyList<(string Old, string New)> used, ILogger<RenamedOptionsLog> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var (old, now) in used)
        {
            Renamed(logger, old, now);
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(
        EventId = 430,
        Level = LogLevel.Warning,
        Message = "The option {Old} is now named {New}. The next version no longer reads the old name.")]
    private static partial void Renamed(ILogger logger, string old, string @new);
}
