using Herd.Grains.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting;

/// <summary>
/// How the time is divided that a process is given to end: (1) preStop, while nobody is told to send it anything new; (2) SIGTERM, then
/// a node drains and a gateway hands over; (3) the process stops. <see cref="ClusterOptions.GraceSeconds"/> is the one setting; the rest
/// follows.
/// </summary>
internal static class GracePeriod
{
    /// <summary>What a process may take to stop, and a gateway to hand over.</summary>
    public static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);

    /// <summary>What is to spare, as clocks and kubelets are not exact.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DrainWithoutBounds = TimeSpan.FromMinutes(1);

    /// <summary>What has to be given at least, whatever the process.</summary>
    public static TimeSpan Least(ClusterOptions cluster) => TimeSpan.FromSeconds(cluster.PreStopSeconds) + StopTime + Spare;

    /// <summary>What a node may take to move its sessions elsewhere.</summary>
    public static TimeSpan DrainTime(ClusterOptions cluster, NodeOptions node) => node.DrainTime
        ?? (cluster.GraceSeconds > 0 ? TimeSpan.FromSeconds(cluster.GraceSeconds) - Least(cluster) : DrainWithoutBounds);
}

/// <summary>A drain that is cut off by the grace period's end would be none.</summary>
internal sealed class GracePeriodValidator(IConfiguration configuration) : IValidateOptions<NodeOptions>
{
    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        var cluster = ClusterOptions.Read(configuration);
        var needed = GracePeriod.Least(cluster) + GracePeriod.DrainTime(cluster, options);
        return cluster.GraceSeconds == 0 || TimeSpan.FromSeconds(cluster.GraceSeconds) >= needed
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Node:DrainTime {options.DrainTime} does not fit into Cluster:GraceSeconds {cluster.GraceSeconds}: with {cluster.PreStopSeconds} s of preStop and {GracePeriod.StopTime.TotalSeconds} s to stop, {needed.TotalSeconds} s are needed. Leave Node:DrainTime out and it takes what there is.");
    }
}
