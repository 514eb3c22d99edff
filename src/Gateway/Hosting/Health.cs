using Herd.Grains.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Storage;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Herd.Gateway.Hosting;

/// <summary>Ready while a node takes work, or one would be started for who asks.</summary>
internal sealed class NodesHealth(NodeRegistry registry, Pools pools) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(pools.MaySleep.Any() || registry.Nodes.Any(node => node.State == NodeState.Ready)
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("No node is ready."));
}

/// <summary>
/// Ready once the store has answered. That it is away later is no reason to send everybody away: conversations go on in memory, and
/// what cannot be stored is said.
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
            return HealthCheckResult.Unhealthy("The store does not answer.");
        }
    }
}

/// <summary>Not ready from the moment at which this gateway is told to end, before it hands over.</summary>
internal sealed class LeavingHealth(GatewayDrain handover) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        handover.Started.IsCancellationRequested ? HealthCheckResult.Unhealthy("This gateway is about to end.") : HealthCheckResult.Healthy());
}
