namespace Herd.Store.Tests;

public sealed class StoreOptionsTests
{
    [Fact]
    public void TryParse_Options_AreRead()
    {
        Assert.True(
            StoreOptions.TryParse(["--port", "7000", "--data", "/d", "--bind", "10.0.0.1"], out var options, out _));

        Assert.Equal(new StoreOptions("10.0.0.1", 7000, "/d"), options);
    }

    [Fact]
    public void TryParse_NoAddress_ListensOnThisMachineOnly()
    {
        Assert.True(StoreOptions.TryParse(["--port", "7000", "--data", "/d"], out var options, out _));

        Assert.Equal("127.0.0.1", options.Bind);
    }

    [Theory]
    [InlineData("--port is missing")]
    [InlineData("--data is missing", "--port", "7000")]
    [InlineData("--port needs a number", "--port", "70000")]
    [InlineData("--port needs a number", "--port")]
    [InlineData("--bind needs an IP address", "--bind", "here")]
    [InlineData("--data needs a folder", "--port", "7000", "--data")]
    [InlineData("Unknown option '--what'", "--what", "7")]
    public void TryParse_BadOption_SaysWhich(string message, params string[] args)
    {
        Assert.False(StoreOptions.TryParse(args, out _, out var error));

        Assert.StartsWith(message, error, StringComparison.Ordinal);
    }
}
