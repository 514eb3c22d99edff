using Herd.Grains.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Herd.Gateway.Hosting;

/// <summary>Ready while a node is ready, or a pool that sleeps would start one for a turn.</summary>
internal sealed class NodesHealth(NodeRegistry registry, Pools pools) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(pools.MaySleep.Any() || registry.Nodes.Any(node => node.State == NodeState.Ready)
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("No node is ready."));
}

/// <summary>
/// Ready once the store has answered. It stays ready if the store becomes unreachable later: conversations continue in
/// memory, and answers say that they are not stored.
/// </summary>
internal sealed class StoreHealth(StoreConnection store) : IHealthCheck
{
    private volatile bool _hasAnswered;

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (_hasAnswered)
        {
            return HealthCheckResult.Healthy();
        }

        try
        {
            await store.Database.PingAsync().WaitAsync(cancellationToken);
            _hasAnswered = true;
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("The store does not respond.");
        }
    }
}

/// <summary>Not ready from the moment at which this gateway begins to shut down, before it drains.</summary>
internal sealed class DrainHealth(GatewayDrain drain) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(drain.Started.IsCancellationRequested
            ? HealthCheckResult.Unhealthy("This gateway is shutting down.")
            : HealthCheckResult.Healthy());
}
