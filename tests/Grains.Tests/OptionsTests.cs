using Herd.Grains.Hosting;
using Herd.Grains.Nodes;

namespace Herd.Grains.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Validate_EverythingWrong_SaysEverything()
    {
        var node = new NodeOptionsValidator().Validate(null, new NodeOptions
        {
            Slots = 0, ContextTokens = -1, Threads = -1, BatchTokens = 0, MaxQueued = -1, MaxStretch = 1, Heartbeat = TimeSpan.Zero,
        });
        var cluster = new ClusterOptionsValidator().Validate(null, new ClusterOptions
        {
            Name = "Not A Name", Store = " ", Address = "nowhere", SiloPort = 0,
        });

        string[] fields = ["Model", "Slots", "ContextTokens", "Threads", "BatchTokens", "MaxQueued", "MaxStretch", "Heartbeat"];
        Assert.All(fields, field => Assert.Contains(node.Failures!, failure => failure.Contains($"Node:{field}", StringComparison.Ordinal)));
        Assert.Equal(4, cluster.Failures!.Count());
    }

    [Fact]
    public void Validate_Defaults_Pass()
    {
        Assert.True(new NodeOptionsValidator().Validate(null, new NodeOptions { Model = "m" }).Succeeded);
        Assert.True(new ClusterOptionsValidator().Validate(null, new ClusterOptions { Name = "node-1" }).Succeeded);
    }
}
