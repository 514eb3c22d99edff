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
    public async Task Leaving_FromTheMomentItIsToldToEnd_IsNotReady()
    {
        using var handover = new GatewayDrain(TimeProvider.System);
        var health = new LeavingHealth(handover);
        var before = await Check(health);

        await handover.StoppingAsync(CancellationToken.None);

        Assert.Equal((HealthStatus.Healthy, HealthStatus.Unhealthy), (before, await Check(health)));
    }

    /// <summary>Without a node nobody is answered, unless one is started for who asks.</summary>
    [Theory]
    [InlineData(NodeState.Loading, 1, HealthStatus.Unhealthy)]
    [InlineData(NodeState.Draining, 1, HealthStatus.Unhealthy)]
    [InlineData(NodeState.Ready, 1, HealthStatus.Healthy)]
    [InlineData(NodeState.Loading, 0, HealthStatus.Healthy)]
    public async Task Nodes_OfThisStateWithAPoolOfAtLeast_AreReadyOrNot(NodeState state, int least, HealthStatus expected)
    {
        var pools = new Pools(Options.Create(new ScalingOptions { Pools = [new PoolOptions { Model = "m", Min = least }] }));
        var registry = new NodeRegistry(pools, TimeProvider.System);
        registry.Update(new NodeReport { Node = "a", State = state, ProcessId = 1, Runtime = "none" });

        Assert.Equal(expected, await Check(new NodesHealth(registry, pools)));
    }

    private static async Task<HealthStatus> Check(IHealthCheck health) => (await health.CheckHealthAsync(new HealthCheckContext())).Status;
}
