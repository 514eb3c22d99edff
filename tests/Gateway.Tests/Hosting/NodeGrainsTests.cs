using Herd.Contracts.Nodes;
using Herd.Gateway.Hosting;
using Herd.Grains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Placement;

namespace Herd.Gateway.Tests.Hosting;

/// <summary>A gateway without a known node: after a partition, or while the last node is replaced.</summary>
public sealed class NodeGrainsTests
{
    [Fact]
    public async Task Reach_NoNodeIsAMember_FailsAsACallDoes()
    {
        await using var gateway = Gateway();
        var grains = gateway.Services.GetRequiredService<IGrainFactory>();

        var failure =
            Record.Exception(() => (object)grains.GetReachableGrain<ISessionGrain>("node/tenant/conversation/model"));

        Assert.True(failure is not null && CallFailure.IsTransient(failure), $"{failure}");
    }

    [Theory]
    [InlineData("node")]
    [InlineData("session")]
    public async Task Resolve_NoNodeIsAMember_PlacesByKey(string grain)
    {
        await using var gateway = Gateway();
        var type = GrainType.Create(grain);

        var placement = gateway.Services.GetRequiredService<PlacementStrategyResolver>().GetPlacementStrategy(type);
        var directories = gateway.Services.GetServices<IGrainDirectoryResolver>()
            .Where(resolver => resolver.TryResolveGrainDirectory(type, null, out _));

        Assert.Equal("NodePlacement", placement.GetType().Name);
        Assert.Single(directories);
    }

    private static WebApplication Gateway()
    {
        var builder = WebApplication.CreateSlimBuilder(["--Cluster:Name=g", "--Gateway:AdminPort=9"]);
        builder.AddHerdGateway();
        builder.AddGateway();
        return builder.Build();
    }
}
