using Herd.Cli.Processes;

namespace Herd.Cli.Tests.Processes;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class OperatorKeyTests
{
    /// <summary>The key is in a file that its owner reads, and on no command line.</summary>
    [Fact]
    public void Processes_Plan_NamesAFileThatOnlyItsOwnerReads()
    {
        var gateway = ProcessTests.Plan().Processes()[^1];
        var file = Assert.Single(gateway.Arguments, argument =>
            argument.StartsWith("--Gateway:AdminKeyFile=", StringComparison.Ordinal)).Split('=')[1];
        var key = SecretFile.Read(file)!;

        Assert.Equal(HerdHome.OperatorKeyFile, file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(43, key.Length);
        Assert.All(ProcessTests.Plan().Processes(), process => Assert.All(
            process.Arguments, argument => Assert.DoesNotContain(key, argument, StringComparison.Ordinal)));
        Assert.Equal(key, SecretFile.Read(SecretFile.Make(HerdHome.OperatorKeyFile)));
    }

    /// <summary>A cluster that a version without keys started gets one when its gateway starts again.</summary>
    [Fact]
    public void WithOperatorKey_GatewayOfAnOlderVersion_GetsOne()
    {
        var old = new RunState
        {
            Version = RunState.CurrentVersion,
            Plan = ProcessTests.Plan(),
            Processes =
            [
                new RunningProcess("node-1", "Silo", [], 0, 0),
                new RunningProcess("gateway-1", "Gateway", ["--Gateway:AdminPort=20001"], 0, 0),
                new RunningProcess("gateway-2", "Gateway", ["--Gateway:AdminKeyFile=/elsewhere"], 0, 0),
            ],
        };

        var now = old.WithOperatorKey();

        Assert.Equal(
            [
                [],
                ["--Gateway:AdminPort=20001", $"--Gateway:AdminKeyFile={HerdHome.OperatorKeyFile}"],
                ["--Gateway:AdminKeyFile=/elsewhere"],
            ],
            now.Processes.Select(process => process.Arguments));
        Assert.Equal(SecretFile.Read(HerdHome.OperatorKeyFile), now.Gateways[0].AdminKey);
        Assert.Null(old.Gateways[0].AdminKey);
    }
}
