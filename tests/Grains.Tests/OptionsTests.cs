using Herd.Grains.Hosting;
using Herd.Grains.Nodes;
using Herd.Grains.Routing;

namespace Herd.Grains.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        var node = new NodeOptionsValidator().Validate(null, new NodeOptions
        {
            Slots = 0, ContextTokens = -1, Threads = -1, BatchTokens = 0, MaxQueued = -1, MaxStretch = 1, Heartbeat = TimeSpan.Zero,
            StepDeadline = TimeSpan.Zero, DrainTime = -TimeSpan.FromSeconds(1),
        });
        var cluster = new ClusterOptionsValidator().Validate(null, new ClusterOptions
        {
            Name = "Not A Name", Store = " ", Address = "nowhere", SiloPort = 0, LinkPort = 0, HealthPort = -1, KeyFile = "nowhere",
        });

        string[] fields = ["Model", "Slots", "ContextTokens", "Threads", "BatchTokens", "MaxQueued", "MaxStretch", "Heartbeat", "StepDeadline", "DrainTime"];
        Assert.All(fields, field => Assert.Contains(node.Failures!, failure => failure.Contains($"Node:{field}", StringComparison.Ordinal)));
        Assert.Equal(8, cluster.Failures!.Count());
    }

    [Fact]
    public void Validate_Defaults_Pass()
    {
        Assert.True(new NodeOptionsValidator().Validate(null, new NodeOptions { Model = "m" }).Succeeded);
        Assert.True(new RoutingOptionsValidator().Validate(null, new RoutingOptions()).Succeeded);
        var key = Path.GetTempFileName();
        File.WriteAllBytes(key, new byte[32]);
        Assert.True(new ClusterOptionsValidator().Validate(null, new ClusterOptions { Name = "node-1", KeyFile = key }).Succeeded);
        File.Delete(key);
    }
}
