using System.Text.Json;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Herd.Gateway.Scaling.Protocol;
using Herd.Kubernetes.Tests.Pods;
using Herd.V1;
using k8s.Models;

namespace Herd.Kubernetes.Tests;

/// <summary>
/// The pods of k8s/overlays/dev, with real processes: conversations continue while pods are replaced.
/// </summary>
public sealed class PodTests(PodScene scene) : IClassFixture<PodScene>
{
    private readonly PodCluster _cluster = scene.Cluster;

    [Fact]
    public async Task RollOut_OfNodesAndGateways_NobodyNotices()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 1);
        foreach (var workload in new[] { PodCluster.Node, PodCluster.Gateway })
        {
            _cluster[workload].RollOut(_ => { });
            await _cluster.WaitUntilReady();
        }

        var outcome = await load.End();

        Assert.True(outcome.Warm >= 0.95, $"{outcome}");
        Assert.Equal(0, outcome.Killed);
    }

    [Fact]
    public async Task Scale_OutAndInAgain_NobodyNotices()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 2);
        _cluster[PodCluster.Node].Replicas = 4;
        await _cluster.WaitUntilReady();
        _cluster[PodCluster.Node].Replicas = 2;
        await _cluster.WaitUntilReady();

        var outcome = await load.End();

        // The history is replayed where that is predicted to be faster than pulling the KV cache: often so with a tiny
        // model.
        Assert.True(outcome.Warm >= 0.9, $"{outcome}");
        Assert.Equal(0, outcome.Killed);
    }

    /// <summary>
    /// Five seconds are too short for a node with much to move. The rest continues elsewhere all the same.
    /// </summary>
    [Fact]
    public async Task Evict_ANodeWithLittleGrace_FailsNobody()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 3);
        await _cluster[PodCluster.Node].Ready[0].Delete(TimeSpan.FromSeconds(5));
        await _cluster.WaitUntilReady();

        Assert.NotEqual(0, (await load.End()).Moved);
    }

    /// <summary>A second SIGTERM changes nothing: a node drains and a gateway drains.</summary>
    [Theory]
    [InlineData(PodCluster.Node)]
    [InlineData(PodCluster.Gateway)]
    public async Task Delete_APodWithTwoSignals_FailsNobody(string workload)
    {
        using var load = await SceneLoad.Start(_cluster, seed: 8);
        await _cluster[workload].Ready[0].Delete(isTwice: true);
        await _cluster.WaitUntilReady();

        Assert.Equal(0, (await load.End()).Killed);
    }

    /// <summary>A machine with a gateway and a node is drained: both at once.</summary>
    [Fact]
    public async Task Drain_AMachineWithAGatewayAndANode_NobodyNotices()
    {
        _cluster[PodCluster.Gateway].Replicas = 2;
        await _cluster.WaitUntilReady();
        using var load = await SceneLoad.Start(_cluster, seed: 9);
        await Task.WhenAll(_cluster[PodCluster.Gateway].Ready[0].Delete(), _cluster[PodCluster.Node].Ready[0].Delete());
        await _cluster.WaitUntilReady();
        _cluster[PodCluster.Gateway].Replicas = 1;
        await _cluster.WaitUntilReady();

        var outcome = await load.End();

        Assert.NotEqual(0, outcome.Moved);
        Assert.True(outcome.Warm >= 0.9, $"{outcome}");
        Assert.Equal(0, outcome.Killed);
    }

    /// <summary>Each log line of gateways and nodes is a JSON object.</summary>
    [Fact]
    public async Task Logs_OfPods_AreAnObjectALine()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 6);
        await _cluster[PodCluster.Node].Ready[0].Delete();
        await _cluster.WaitUntilReady();
        await load.End();

        var lines = new[] { PodCluster.Gateway, PodCluster.Node }.SelectMany(name => _cluster[name].Live)
            .SelectMany(pod => pod.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
            Assert.Equal(JsonValueKind.String, JsonDocument.Parse(line).RootElement.GetProperty("LogLevel").ValueKind));
    }

    /// <summary>The port of the scaler needs no key. It serves the scaler alone, and no other port serves it.</summary>
    [Fact]
    public async Task ScalerPort_AskedForMore_Refuses()
    {
        var address = _cluster[PodCluster.Gateway].Ready[0].Address;
        using var scalers = GrpcChannel.ForAddress($"http://{address}:8083");
        using var users = GrpcChannel.ForAddress($"http://{address}:8081");
        var key = new Metadata { { "authorization", "Bearer dev" } };
        var pool = new ScaledObjectRef { ScalerMetadata = { ["model"] = "tiny" } };

        var conversations = await Refused(() => new ConversationService.ConversationServiceClient(
            scalers).ListModelsAsync(new ListModelsRequest(), key).ResponseAsync);
        var nodes = await Refused(() =>
            new ClusterService.ClusterServiceClient(scalers).ListNodesAsync(new ListNodesRequest(), key).ResponseAsync);
        var elsewhere =
            await Refused(() => new ExternalScaler.ExternalScalerClient(users).IsActiveAsync(pool, key).ResponseAsync);
        var nothingKnown =
            await Refused(() => new ExternalScaler.ExternalScalerClient(scalers).IsActiveAsync(pool).ResponseAsync);
        var nameless = await Refused(
            () => new ExternalScaler.ExternalScalerClient(scalers).IsActiveAsync(new ScaledObjectRef()).ResponseAsync);

        Assert.All(
            [conversations, nodes, elsewhere], error => Assert.Equal(StatusCode.PermissionDenied, error.StatusCode));
        Assert.Equal(
            (StatusCode.Unavailable, StatusCode.InvalidArgument), (nothingKnown.StatusCode, nameless.StatusCode));

        static Task<RpcException> Refused(Func<Task> call) => Assert.ThrowsAsync<RpcException>(call);
    }

    /// <summary>The health port of a node speaks grpc.health.v1 alone: SERVING until the node drains.</summary>
    [Fact]
    public async Task Health_OfANodeOverGrpc_EndsBeforeTheNode()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 11);
        var node = _cluster[PodCluster.Node].Ready[0];
        using var channel = GrpcChannel.ForAddress($"http://{node.Address}:8091");
        var health = new Health.HealthClient(channel);
        using var watch = health.Watch(
            new HealthCheckRequest(), cancellationToken: TestContext.Current.CancellationToken);
        var said = new List<HealthCheckResponse.Types.ServingStatus>();
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        said.Add(watch.ResponseStream.Current.Status);

        var ending = node.Delete();
        Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        said.Add(watch.ResponseStream.Current.Status);
        await ending;
        await _cluster.WaitUntilReady();
        await load.End();

        Assert.Equal(
            [HealthCheckResponse.Types.ServingStatus.Serving, HealthCheckResponse.Types.ServingStatus.NotServing],
            said);
    }

    /// <summary>A node whose machine is lost gets no signal.</summary>
    [Fact]
    public async Task Lose_ANode_FailsNobody()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 4);
        await _cluster[PodCluster.Node].Ready[0].Lose();
        await _cluster.WaitUntilReady();

        Assert.NotEqual(0, (await load.End()).Moved);
    }

    /// <summary>Pods of a version that cannot start never replace those that serve.</summary>
    [Fact]
    public async Task RollOut_OfNodesThatCannotStart_StopsThereAndFailsNobody()
    {
        using var load = await SceneLoad.Start(_cluster, seed: 5);
        var nodes = _cluster[PodCluster.Node];
        var serving = nodes.Ready;
        Change("a-runtime-that-is-not-there");
        await _cluster.Until(() => nodes.Live.Any(pod => pod.Restarts >= 2));
        Assert.True(serving.All(pod => pod.IsReady));
        Change("");
        await _cluster.WaitUntilReady();

        Assert.NotEqual(0, (await load.End()).Turns);

        void Change(string runtime) => nodes.RollOut(
            template => template.Spec.Containers[0].Env.Add(new V1EnvVar { Name = "Node__Runtime", Value = runtime }));
    }
}

/// <summary>The cluster of pods that the tests share. They leave it as they find it.</summary>
public sealed class PodScene : IAsyncLifetime
{
    internal PodCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await PodCluster.Start();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
