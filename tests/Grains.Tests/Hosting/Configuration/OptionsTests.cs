using FsCheck.Xunit;
using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Hosting.Lifetime;
using Herd.Grains.Nodes;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Configuration;

namespace Herd.Grains.Tests.Hosting.Configuration;

public sealed class OptionsTests
{
    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        var node = new NodeOptionsValidator().Validate(null, new NodeOptions
        {
            Slots = 0, ContextTokens = -1, Threads = -1, BatchTokens = 0, MaxQueued = -1, MaxStepSlowdown = 1,
            Heartbeat = TimeSpan.Zero, StepDeadline = TimeSpan.Zero, DrainTimeout = -TimeSpan.FromSeconds(1),
            TensorSplit = [-1],
        });
        var cluster = new ClusterOptionsValidator().Validate(null, new ClusterOptions
        {
            Name = "Not A Name", Store = " ", Address = "nowhere", SiloPort = 0, LinkPort = 0, HealthPort = -1,
            HealthGrpcPort = -1, KeyFile = "nowhere", GraceSeconds = -1, PreStopSeconds = -1, StoreReplicas = -1,
        });

        string[] fields =
        [
            "Model", "Slots", "ContextTokens", "Threads", "BatchTokens", "MaxQueued", "MaxStepSlowdown", "Heartbeat",
            "StepDeadline", "DrainTimeout", "TensorSplit",
        ];
        Assert.All(fields, field => Assert.Contains(
            node.Failures!, failure => failure.Contains($"Node:{field}", StringComparison.Ordinal)));
        Assert.Equal(12, cluster.Failures!.Count());
        Assert.Contains("Set Node:Slots to a value from 1 to 256; found 0.", node.Failures!);
        Assert.Contains("Set Node:Threads to 0 or more; found -1.", node.Failures!);
        Assert.Contains("Set Node:Heartbeat to a value above 00:00:00; found 00:00:00.", node.Failures!);
    }

    [Fact]
    public void Validate_PoolsThatCannotBe_SaysEverything()
    {
        var result = new ScalingOptionsValidator().Validate(null, new ScalingOptions
        {
            TargetUtilization = 0,
            ScaleDownThreshold = 1,
            ScaleDownDelay = -TimeSpan.FromSeconds(1),
            KvRetention = -TimeSpan.FromSeconds(1),
            WakeTimeout = TimeSpan.Zero,
            Pools =
            [
                new PoolOptions { Min = -1, Max = 0, TargetTtft = TimeSpan.Zero, PromptTokens = 0 },
                new PoolOptions(),
            ],
        });

        Assert.Equal(12, result.Failures!.Count());
    }

    /// <summary>
    /// The parts of a grace period of any length fit into it. A drain timeout that does not fit is refused at start.
    /// </summary>
    [Property]
    public void Grace_OfAnyLength_HoldsWhatIsDoneInIt(ushort grace, byte preStop, byte drain)
    {
        var cluster = new ClusterOptions { GraceSeconds = grace, PreStopSeconds = preStop };
        Validate(new NodeOptions());
        Validate(new NodeOptions { DrainTimeout = TimeSpan.FromSeconds(drain) });

        void Validate(NodeOptions node)
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection(
                    [new("Cluster:GraceSeconds", $"{grace}"), new("Cluster:PreStopSeconds", $"{preStop}")])
                .Build();
            var length = TimeSpan.FromSeconds(preStop) + GracePeriod.DrainTimeout(cluster, node) + GracePeriod.StopTime;
            var isRefused = new GracePeriodValidator(configuration).Validate(null, node).Failed
                || new ClusterOptionsValidator().Validate(null, cluster).Failures!.Any(
                    failure => failure.StartsWith("Cluster:GraceSeconds", StringComparison.Ordinal));
            Assert.True(grace == 0 || isRefused || length < TimeSpan.FromSeconds(grace));
            Assert.True(grace <= preStop + drain + 35 || !isRefused);
        }
    }

    [Fact]
    public void Validate_Defaults_Pass()
    {
        Assert.True(new NodeOptionsValidator().Validate(null, new NodeOptions { Model = "m" }).Succeeded);
        Assert.True(new ScalingOptionsValidator().Validate(null, new ScalingOptions()).Succeeded);
        Assert.True(new RoutingOptionsValidator().Validate(null, new RoutingOptions()).Succeeded);
        var key = Path.GetTempFileName();
        File.WriteAllBytes(key, new byte[32]);
        Assert.True(new ClusterOptionsValidator().Validate(
            null, new ClusterOptions { Name = "node-1", KeyFile = key }).Succeeded);
        File.Delete(key);
    }
}
