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
    }

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
