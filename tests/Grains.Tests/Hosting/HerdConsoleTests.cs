using Herd.Grains.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Herd.Grains.Tests.Hosting;

public sealed class HerdConsoleTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("Debug", true)]
    public void AddHerdConsole_LevelIsConfigured_OverridesTheDefault(string? level, bool isLogged)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Logging:LogLevel:Orleans", level)]);
        builder.AddHerdConsole();
        using var host = builder.Build();

        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Orleans.Messaging");

        Assert.Equal(isLogged, logger.IsEnabled(LogLevel.Debug));
        Assert.True(logger.IsEnabled(LogLevel.Warning));
    }
}
