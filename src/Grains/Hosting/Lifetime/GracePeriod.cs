using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting.Lifetime;

/// <summary>
/// The parts of a process's grace period: (1) preStop, in which Kubernetes stops sending requests to it; (2) SIGTERM,
/// after which a node or gateway drains; (3) the stop of the process. <see cref="ClusterOptions.GraceSeconds"/> sets
/// the sum, and the parts follow from it.
/// </summary>
internal static class GracePeriod
{
    /// <summary>The maximum time for the stop of a process, and for the drain of a gateway.</summary>
    public static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);

    /// <summary>The margin for inexact clocks and kubelets.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DrainWithoutBounds = TimeSpan.FromMinutes(1);

    /// <summary>The minimum grace period of any process.</summary>
    public static TimeSpan Minimum(ClusterOptions cluster) =>
        TimeSpan.FromSeconds(cluster.PreStopSeconds) + StopTime + Spare;

    /// <summary>The maximum time that a node takes to migrate its sessions to other nodes.</summary>
    public static TimeSpan DrainTimeout(ClusterOptions cluster, NodeOptions node) => node.DrainTimeout
        ?? (cluster.GraceSeconds > 0
            ? TimeSpan.FromSeconds(cluster.GraceSeconds) - Minimum(cluster)
            : DrainWithoutBounds);
}

/// <summary>Refuses a drain timeout that the end of the grace period would cut off.</summary>
internal sealed class GracePeriodValidator(IConfiguration configuration) : IValidateOptions<NodeOptions>
{
    public ValidateOptionsResult Validate(string? name, NodeOptions options)
    {
        var cluster = ClusterOptions.Read(configuration);
        var needed = GracePeriod.Minimum(cluster) + GracePeriod.DrainTimeout(cluster, options);
        return cluster.GraceSeconds == 0 || TimeSpan.FromSeconds(cluster.GraceSeconds) >= needed
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"Node:DrainTimeout {options.DrainTimeout} does not fit into Cluster:GraceSeconds "
                + $"{cluster.GraceSeconds}: with {cluster.PreStopSeconds} s of preStop "
                + $"and {GracePeriod.StopTime.TotalSeconds} s to stop, {needed.TotalSeconds} s are needed. Raise "
                + "Cluster:GraceSeconds, or do not set Node:DrainTimeout.");
    }
}
