using Herd.Grains.Hosting.Configuration;
using Herd.Grains.Nodes;
using Herd.Grains.Rebalancing;
using Herd.Grains.Routing;
using Herd.Grains.Scaling;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Tests.Hosting.Configuration;

public sealed class RenamedOptionsTests
{
    [Theory]
    [InlineData("false", null, false)]
    [InlineData("true", "false", false)]
    [InlineData("false", "true", true)]
    [InlineData(null, null, true)]
    public void Read_OldAndNewName_NewOneWins(string? old, string? now, bool expected)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { ["Routing:BringsKv"] = old, ["Routing:PullsKv"] = now }
                .Where(entry => entry.Value is not null));
        builder.AddRenamedOptions();
        builder.Services.AddOptions<RoutingOptions>().BindConfiguration(RoutingOptions.Section);
        using var host = builder.Build();

        Assert.Equal(expected, host.Services.GetRequiredService<IOptions<RoutingOptions>>().Value.PullsKv);
    }

    [Fact]
    public void Read_OldNames_AreReadAsTheNewOnes()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(RenamedOptions.All.Select(
            renamed => KeyValuePair.Create<string, string?>(renamed.Old, renamed.New)));

        builder.AddRenamedOptions();

        Assert.All(RenamedOptions.All, renamed => Assert.Equal(renamed.New, builder.Configuration[renamed.New]));
    }

    [Fact]
    public void All_NewNames_AreOptions()
    {
        (string Section, Type Options)[] sections =
        [
            (NodeOptions.Section, typeof(NodeOptions)), (RoutingOptions.Section, typeof(RoutingOptions)),
            (RebalanceOptions.Section, typeof(RebalanceOptions)), (ScalingOptions.Section, typeof(ScalingOptions)),
        ];

        var names = sections
            .SelectMany(
                section => section.Options.GetProperties().Select(property => $"{section.Section}:{property.Name}"))
            .ToList();

        // The options of gateways are not known here.
        Assert.All(
            RenamedOptions.All.Where(renamed => !renamed.New.StartsWith("Gateway:", StringComparison.Ordinal)),
            renamed => Assert.Contains(renamed.New, names));
    }
}
