using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Herd.Gateway.Hosting;

/// <summary>Ready while a node takes work.</summary>
internal sealed class NodesHealth(ClusterView view) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(view.Nodes.Any(node => node.State == NodeState.Ready)
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("No node is ready."));
}

/// <summary>Ready while the store answers.</summary>
internal sealed class StoreHealth(StoreConnection store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await store.Database.PingAsync().WaitAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("The store does not answer.");
        }
    }
}
