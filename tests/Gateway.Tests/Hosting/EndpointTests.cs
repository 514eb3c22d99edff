using Herd.Gateway.Hosting;
using Herd.Gateway.Tenants;
using Herd.Grains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Herd.Gateway.Tests.Hosting;

/// <summary>Everything that a gateway answers, as it is mapped: what is added is closed unless it is opened by name.</summary>
public sealed class EndpointTests
{
    private static readonly string[] Open =
        ["/health/live", "/health/ready", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/{unimplementedMethod:grpcunimplemented}"];

    private static readonly string[] ForOperators =
        ["/herd.v1.ClusterService/ListNodes", "/herd.v1.ClusterService/DrainNode", "/herd.v1.ClusterService/LoadModel", "/herd.v1.ClusterService/UnloadModel", "/herd.v1.ClusterService/RehomeConversation", "/herd.v1.ClusterService/Diagnose", "/herd.v1.ClusterService/{unimplementedMethod:grpcunimplemented}"];

    [Fact]
    public async Task IsOpen_EveryEndpoint_OnlyHealth()
    {
        var patterns = await Patterns();

        Assert.Equal(Open.Order(StringComparer.Ordinal), patterns.Where(pattern => Authentication.IsOpen(pattern)).Order(StringComparer.Ordinal));
        Assert.True(patterns.Count > 40, string.Join('\n', patterns));
    }

    [Fact]
    public async Task IsForOperators_EveryEndpoint_OnlyTheClusters() => Assert.Equal(
        ForOperators.Order(StringComparer.Ordinal),
        (await Patterns()).Where(pattern => Authentication.IsForOperators(pattern)).Order(StringComparer.Ordinal));

    private static async Task<IReadOnlyList<string>> Patterns()
    {
        var builder = WebApplication.CreateSlimBuilder(["--Cluster:Name=g", "--Gateway:AdminPort=9"]);
        builder.AddHerdGateway();
        builder.AddGateway();
        await using var app = builder.Build();
        app.UseGateway();
        return
        [
            .. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                .Select(endpoint => "/" + endpoint.RoutePattern.RawText!.TrimStart('/'))
                .Distinct(),
        ];
    }
}
