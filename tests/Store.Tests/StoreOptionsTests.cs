namespace Herd.Store.Tests;

public sealed class StoreOptionsTests
{
    [Fact]
    public void TryParse_Options_AreRead()
    {
        Assert.True(
            StoreOptions.TryParse(
                ["--port", "7000", "--data", "/d", "--bind", "10.0.0.1", "--password-file", "/p"],
                out var options,
                out _));

        Assert.Equal(new StoreOptions("10.0.0.1", 7000, "/d", "/p"), options);
    }

    [Fact]
    public void ToGarnet_PasswordFile_AsksForItsPassword()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "secret\n");
            var options = new StoreOptions("127.0.0.1", 7000, "/d", file);

            Assert.Equal(["--auth", "Password", "--password", "secret"], options.ToGarnet()[..4]);
            File.WriteAllText(file, "\n");
            Assert.Throws<InvalidDataException>(options.ToGarnet);
        }
        finally
        {
            File.Delete(file);
        }
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
    [InlineData("--password-file needs a file", "--port", "7000", "--data", "/d", "--password-file")]
    [InlineData("Unknown option '--what'", "--what", "7")]
    public void TryParse_BadOption_SaysWhich(string message, params string[] args)
    {
        Assert.False(StoreOptions.TryParse(args, out _, out var error));

        Assert.StartsWith(message, error, StringComparison.Ordinal);
    }
}
