using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Herd.Kubernetes.Tests.Pods;
using Herd.V1;

namespace Herd.Kubernetes.Tests;

/// <summary>
/// The size of a pool follows its load, by the answers of the scaler. Real processes with the simulated runtime, so
/// that each node computes as fast as on a machine of its own.
/// </summary>
public sealed class ScalingTests
{
    private const int MaxReplicas = 4;

    /// <summary>The nodes that 48 users need, with 22 slots a node and a target of four fifths.</summary>
    private const int Doubled = 3;

    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Node__Runtime"] = "simulated",
        ["Node__Slots"] = "22",
        ["Scaling__Pools__0__Model"] = "tiny",
        ["Scaling__Pools__0__Min"] = "0",
        ["Scaling__Pools__0__Max"] = "4",
        ["Scaling__ScaleDownDelay"] = "00:00:10",
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>24 users, 48, 24 and none. Then one comes while there is no node.</summary>
    [Fact]
    public async Task Load_DoublesAndFallsAndEnds_NodesFollowAndNobodyNotices()
    {
        await using var cluster = await PodCluster.Start(Settings);
        var nodes = cluster[PodCluster.Node];
        using var load = await SceneLoad.Start(cluster, seed: 1);
        await using var autoscaler = new Autoscaler(cluster, "tiny", MaxReplicas);
        using (var more = await SceneLoad.Start(cluster, seed: 2))
        {
            await cluster.Until(() => nodes.Replicas >= Doubled && nodes.IsReady);
            var ready = Stopwatch.GetTimestamp();
            await UntilAllCompute(cluster, nodes.Replicas);
            Tell($"the last node computes {Stopwatch.GetElapsedTime(ready).TotalSeconds:F1} s after it was ready");
            while (await Figure(cluster, "herd_pool_time_to_first_token_seconds") > await Figure(
                cluster, "herd_pool_time_to_first_token_target_seconds"))
            {
                await Task.Delay(50, Cancellation);
            }

            await more.End();
        }

        await cluster.Until(() => nodes.Replicas == 2 && nodes.IsReady);
        var outcome = await load.End();
        await cluster.Until(() => nodes.Replicas == 0 && nodes.IsReady);

        Tell($"nodes: 2, {string.Join(", ", autoscaler.Steps)}");
        var most = autoscaler.Steps.Max();
        var fall = autoscaler.Steps.SkipWhile(step => step < most).ToList();
        Assert.Equal(0, fall[^1]);

        // Each rise on the way down takes one step more. One is allowed: while other tests compute on the same
        // processor, first tokens may come later than the target, and then the scaler is right to add a node.
        Assert.InRange(fall.Zip(fall.Skip(1)).Count(pair => pair.Second > pair.First), 0, 1);
        Assert.True(outcome.Warm >= 0.9, $"{outcome}");
        Assert.Equal(0, outcome.Killed);

        var gateway = cluster.GatewayAt(0);
        var conversation = (await gateway.Conversations.CreateConversationAsync(
            new CreateConversationRequest { Model = "tiny" }, cancellationToken: Cancellation)).Conversation;
        using var call = gateway.Conversations.Converse(new ConverseRequest
        {
            ConversationId = conversation.ConversationId,
            Text = "Is anybody there?",
            MaxTokens = 4,
        }, cancellationToken: Cancellation);
        var asked = Stopwatch.GetTimestamp();
        var updates = await call.ResponseStream.ReadAllAsync(Cancellation).ToListAsync(Cancellation);

        Tell($"who came when there was no node was answered after {Stopwatch.GetElapsedTime(asked).TotalSeconds:F1} s");
        Assert.Equal(TurnState.Completed, updates[^1].Completed.Turn.State);
    }

    private static async Task UntilAllCompute(PodCluster cluster, int count)
    {
        while ((await cluster.GatewayAt(0).Cluster.ListNodesAsync(
            new ListNodesRequest(), cancellationToken: Cancellation)).Nodes.Count(node => node.Active > 0) < count)
        {
            await Task.Delay(50, Cancellation);
        }
    }

    /// <summary>The metrics of the pool at a gateway.</summary>
    private static async Task<double> Figure(PodCluster cluster, string name)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", "dev") } };
        var text = await http.GetStringAsync(
            new Uri($"http://{cluster[PodCluster.Gateway].Ready[0].Address}:8080/metrics"), Cancellation);
        var line = text.Split('\n').Single(line => line.StartsWith(name + "{", StringComparison.Ordinal));
        return double.Parse(
            line[line.IndexOf("} ", StringComparison.Ordinal)..].Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private static void Tell(string what) => TestContext.Current.TestOutputHelper?.WriteLine(what);
}
