using FsCheck.Xunit;
using Herd.Cli.Chaos;

namespace Herd.Cli.Tests.Chaos;

public sealed class FaultPlanTests
{
    private static readonly string[] Nodes = ["node-1", "node-2", "node-3"];
    private static readonly string[] Gateways = ["gateway-1", "gateway-2"];

    /// <summary>
    /// For every seed: plans repeat, faults do not overlap and end in time, and one process of each kind stays.
    /// </summary>
    [Property(MaxTest = 200)]
    public bool Create_AnySeed_RepairsEachFaultBeforeTheNext(int seed, byte minutes)
    {
        var length = TimeSpan.FromMinutes(minutes % 20);

        var plan = FaultPlan.Draw(seed, length, Nodes, Gateways, "store");

        return plan.SequenceEqual(FaultPlan.Draw(seed, length, Nodes, Gateways, "store"))
            && plan.All(fault => fault.At + fault.For < length)
            && plan.Zip(plan.Skip(1)).All(
                pair => pair.First.At + pair.First.For + TimeSpan.FromSeconds(8) <= pair.Second.At);
    }

    [Fact]
    public void Create_LongEnough_HasEveryFaultOfEveryKindOfProcess()
    {
        var plan = FaultPlan.Draw(1, TimeSpan.FromHours(2), Nodes, Gateways, "store");

        Assert.Equal(
            [
                (Fault.Kill, "gateway"), (Fault.Kill, "node"), (Fault.Kill, "store"),
                (Fault.Freeze, "node"), (Fault.Drain, "gateway"),
                (Fault.Drain, "node"), (Fault.Add, "node"), (Fault.Remove, "node"),
            ],
            plan.Select(fault => (fault.Kind, fault.Process.Split('-')[0])).Distinct().Order());
    }

    [Fact]
    public void Create_Rolling_DrainsEveryNodeAndGatewayOnce() => Assert.Equal(
        ["node-1", "node-2", "node-3", "gateway-1", "gateway-2"],
        FaultPlan.Create(ChaosScene.Rolling, 1, TimeSpan.FromMinutes(5), Nodes, Gateways, "store")
            .Select(fault => fault.Process));

    [Fact]
    public void ToJson_OfAPlan_IsOneObjectInOneLine() => Assert.Equal(
        """{"faults":[{"at_seconds":5,"kind":"freeze","process":"node-1","for_seconds":1.5}]}""",
        FaultPlan.ToJson([
            new PlannedFault(TimeSpan.FromSeconds(5), Fault.Freeze, "node-1", TimeSpan.FromSeconds(1.5)),
        ]));

    [Fact]
    public void Create_Scale_AddsANodeAndRemovesIt() => Assert.Equal(
        [(Fault.Add, "node-4"), (Fault.Remove, "node-4")],
        FaultPlan.Create(ChaosScene.Scale, 1, TimeSpan.FromMinutes(3), Nodes, Gateways, "store")
            .Select(fault => (fault.Kind, fault.Process)));

    [Theory]
    [InlineData(6, 1)]
    [InlineData(0.1, 0)]
    public void Create_Outage_KillsTheStoreAndEndsInTime(double minutes, int faults)
    {
        var length = TimeSpan.FromMinutes(minutes);

        var plan = FaultPlan.Create(ChaosScene.Outage, 1, length, Nodes, Gateways, "store");

        Assert.Equal(faults, plan.Count);
        Assert.All(
            plan,
            fault => Assert.True(
                fault.Kind == Fault.Kill && fault.Process == "store" && fault.At + fault.For < length));
        Assert.Empty(FaultPlan.Create(ChaosScene.Outage, 1, length, Nodes, Gateways, store: null));
    }

    [Theory]
    [InlineData(ChaosScene.Kill, Fault.Kill)]
    [InlineData(ChaosScene.Freeze, Fault.Freeze)]
    public void Create_OneKind_AffectsEveryNodeInTurn(object scene, object fault)
    {
        var plan = FaultPlan.Create((ChaosScene)scene, 1, TimeSpan.FromMinutes(2), Nodes, Gateways, "store");

        Assert.All(plan, planned => Assert.Equal((Fault)fault, planned.Kind));
        Assert.Equal(Nodes, plan.Take(3).Select(planned => planned.Process));
        Assert.Empty(FaultPlan.Create(ChaosScene.Calm, 1, TimeSpan.FromMinutes(2), Nodes, Gateways, "store"));
    }

    [Fact]
    public void Create_OneGatewayAndAnExternalStore_SparesBoth() => Assert.All(
        FaultPlan.Draw(1, TimeSpan.FromHours(1), Nodes, ["gateway-1"], store: null),
        fault => Assert.StartsWith("node", fault.Process, StringComparison.Ordinal));
}
