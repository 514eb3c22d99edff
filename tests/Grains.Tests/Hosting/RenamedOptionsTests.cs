using Herd.Grains.Hosting;
using Herd.Grains.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Tests.Hosting;

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
}
