using Herd.Contracts.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Herd.Grains.Nodes;

/// <summary>Healthy while the node takes work, and no longer when it drains.</summary>
internal sealed class NodeHealth(NodeHost host) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = host.Report().State;
        return Task.FromResult(
            state == NodeState.Ready
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"The node is {state}."));
    }
}
