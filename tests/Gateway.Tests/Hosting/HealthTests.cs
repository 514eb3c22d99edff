using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Grains.Conversations;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tests.Hosting;

public sealed class HealthTests
{
    [Fact]
    public async Task Drain_Started_IsNotReady()
    {
        using var drain = new GatewayDrain(TimeProvider.System);
        var health = new DrainHealth(drain);
        var before = await Check(health);

        await drain.StoppingAsync(CancellationToken.None);

        Assert.Equal((HealthStatus.Healthy, HealthStatus.Unhealthy), (before, await Check(health)));
    }

    /// <summary>Without a ready node no turn is answered, unless a pool that may sleep starts one.</summary>
    [Theory]
    [InlineData(NodeState.Loading, 1, HealthStatus.Unhealthy)]
    [InlineData(NodeState.Draining, 1, HealthStatus.Unhealthy)]
    [InlineData(NodeState.Ready, 1, HealthStatus.Healthy)]
    [InlineData(NodeState.Loading, 0, HealthStatus.Healthy)]
    public async Task Nodes_StateAndMinimumOfThePool_DecideReadiness(
        NodeState state, int min, HealthStatus expected)
    {
        var options = new ScalingOptions { Pools = [new PoolOptions { Model = "m", Min = min }] };
        var pools = new Pools(Options.Create(options));
        var registry = new NodeRegistry(pools, TimeProvider.System);
        registry.Update(new NodeReport { Node = "a", State = state, ProcessId = 1, Runtime = "none" });

        Assert.Equal(expected, await Check(new NodesHealth(registry, pools)));
    }

    private static async Task<HealthStatus> Check(IHealthCheck health) =>
        (await health.CheckHealthAsync(new HealthCheckContext())).Status;
}
