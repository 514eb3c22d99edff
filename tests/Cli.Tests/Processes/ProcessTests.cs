using System.Diagnostics;
using Herd.Cli.Processes;

namespace Herd.Cli.Tests.Processes;

public sealed class ProcessTests : IDisposable
{
    private readonly string _log = Path.GetTempFileName();

    public void Dispose() => File.Delete(_log);

    [Fact]
    public void Processes_Plan_HaveNamesAndPortsOfTheirOwn()
    {
        var processes = Plan().Processes();

        Assert.Equal(
            ["store", "node-1", "node-2", "gateway-1", "gateway-2"], processes.Select(process => process.Name));
        var ports = processes.SelectMany(process => process.Arguments)
            .Where(argument => argument.StartsWith("--Cluster:SiloPort=", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, ports.Distinct().Count());
        Assert.Contains("--Gateway:HttpPort=9002", processes[^1].Arguments);
        Assert.All(processes.Skip(1), process => Assert.Contains(
            process.Arguments,
            argument => argument.StartsWith("--Cluster:Store=127.0.0.1:", StringComparison.Ordinal)));
    }

    [Fact]
    public void Processes_StoreGiven_StartsNone()
    {
        var processes = (Plan() with { Store = "redis://10.1.1.1:6379" }).Processes();

        Assert.DoesNotContain(processes, process => process.Name == "store");
        Assert.All(processes, process => Assert.Contains("--Cluster:Store=redis://10.1.1.1:6379", process.Arguments));
        Assert.All(processes, process => Assert.DoesNotContain(process.Arguments, IsStorePassword));
    }

    /// <summary>Every process reads the store's password from a file that only its own user can read.</summary>
    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Processes_EmbeddedStore_AskForThePasswordOfAPrivateFile()
    {
        var processes = Plan().Processes();
        var password = SecretFile.Read(HerdHome.StorePasswordFile)!;

        Assert.Equal(["--password-file", HerdHome.StorePasswordFile], processes[0].Arguments.TakeLast(2));
        Assert.All(processes.Skip(1), process => Assert.Contains(
            $"--Cluster:StorePasswordFile={HerdHome.StorePasswordFile}", process.Arguments));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(HerdHome.StorePasswordFile));
        Assert.All(processes.SelectMany(process => process.Arguments), argument =>
            Assert.DoesNotContain(password, argument, StringComparison.Ordinal));
    }

    [Fact]
    public void Grow_StoreWithoutPassword_NewNodesGiveNone()
    {
        var state = new RunState
        {
            Version = RunState.CurrentVersion,
            Plan = Plan(),
            Processes = [new RunningProcess("node-1", "Silo", ["--Cluster:Store=127.0.0.1:7", "--Node:Slots=8"], 0, 0)],
        };

        var added = state.Grow(3, 1).Processes[^1];

        Assert.Equal("node-3", added.Name);
        Assert.Contains("--Cluster:Store=127.0.0.1:7", added.Arguments);
        Assert.DoesNotContain(added.Arguments, IsStorePassword);
    }

    private static bool IsStorePassword(string argument) =>
        argument.StartsWith("--Cluster:StorePasswordFile", StringComparison.Ordinal);

    [Fact]
    public void Reason_CriticalLine_IsTheReason()
    {
        File.WriteAllText(
            _log, "starting\n2026 crit: Herd.X[402] This node cannot serve: no file\n2026 info: Y[1] bye\n\n");

        Assert.Equal("This node cannot serve: no file", LogTail.Reason(_log));
    }

    [Fact]
    public void Reason_NoLog_SaysSo()
    {
        Assert.Equal("its log is empty", LogTail.Reason(_log));
        Assert.Equal("it has no log", LogTail.Reason(_log + ".none"));
    }

    [Fact]
    public void IsAlive_SameIdOtherStart_IsFalse()
    {
        var me = Process.GetCurrentProcess();

        Assert.False(Machine.IsAlive(new RunningProcess("x", "X", [], me.Id, 1)));
        Assert.False(Machine.IsAlive(new RunningProcess("x", "X", [], 0, 0)));
    }

    internal static ClusterPlan Plan() => new()
    {
        Nodes = 2,
        Gateways = 2,
        Model = "m",
        Threads = 1,
        Slots = 8,
        Context = 0,
        HttpPort = 9000,
        GrpcPort = 9001,
        Store = null,
        Data = "/d",
    };
}
