using System.Diagnostics;
using System.Text.Json.Nodes;
using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>Processes that join and leave the cluster while others, or the store, do not respond.</summary>
public sealed class MembershipTests : IAsyncLifetime
{
    private const string Table = "herd/members/herd";
    private const string Version = "Version";
    private static readonly string[] Members = ["gateway-1", "node-1", "node-2"];

    private readonly HerdCluster _cluster = new();
    private string _model = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--model", _model);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>A node that joins calls every active member. It waits for those that are frozen.</summary>
    [Fact]
    public async Task Join_FrozenWhileItJoins_IsNotDeclaredDead()
    {
        using var up = await BeginToJoin();
        await _cluster.Freeze("node-3");
        foreach (var member in Members)
        {
            await _cluster.Continue(member);
        }

        // Three failed probes by two members are enough against an active one. From the third on they ask another.
        await Poll.Until(
            () => Task.FromResult(Members.Count(member => Log(member).Contains(
                "Indirect probe request #6 ", StringComparison.Ordinal))),
            members => members >= 2);
        await _cluster.Continue("node-3");

        await EndOf(up);
        Assert.DoesNotContain("was declared dead", Log("node-3"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Join_DeclaredDeadBeforeItIsActive_JoinsAgainAsANewMember()
    {
        using var up = await BeginToJoin();
        var pid = _cluster.Pid("node-3");
        await DeclareDead("node-3");
        await Poll.Until(
            () => Task.FromResult(Log("node-3")), log => log.Contains("was declared dead", StringComparison.Ordinal));
        foreach (var member in Members)
        {
            await _cluster.Continue(member);
        }

        await EndOf(up);
        Assert.Equal(pid, _cluster.Pid("node-3"));
    }

    /// <summary>None waits until it is killed for a store that cannot be told that it leaves.</summary>
    [Fact]
    public async Task Down_StoreIsGone_EveryProcessEndsByItself()
    {
        await _cluster.Kill("store");

        var down = await _cluster.Run("down");

        Assert.Equal((0, "Stopped node-1, node-2, gateway-1.\n", ""), (down.ExitCode, down.Output, down.Error));
    }

    /// <summary>Freezes all members and starts a third node, which waits for them.</summary>
    private async Task<Process> BeginToJoin()
    {
        foreach (var member in Members)
        {
            await _cluster.Freeze(member);
        }

        var up = _cluster.StartUp("--model", _model, "--nodes", "3");
        await Poll.Until(
            () => Task.FromResult(Log("node-3")),
            log => log.Contains("Failed to get ping responses", StringComparison.Ordinal));
        return up;
    }

    /// <summary>Waits until herd up has seen all nodes ready.</summary>
    private async Task EndOf(Process up)
    {
        await up.WaitForExitAsync(Cancellation);
        Assert.Equal("", await up.StandardError.ReadToEndAsync(Cancellation));
        await _cluster.WaitForNodes(3);
    }

    private string Log(string name)
    {
        var log = _cluster.NewPath($"logs/{name}.log");
        return File.Exists(log) ? File.ReadAllText(log) : "";
    }

    /// <summary>Writes into the store that a member is dead, as another member would.</summary>
    private async Task DeclareDead(string name)
    {
        await using var store = await ConnectionMultiplexer.ConnectAsync(_cluster.Store);
        var database = store.GetDatabase();
        var rows = await database.HashGetAllAsync(Table);
        var row = rows.Where(row => row.Name != Version).Single(
            row => JsonNode.Parse(row.Value.ToString())!["SiloName"]!.GetValue<string>() == name);
        var entry = JsonNode.Parse(row.Value.ToString())!;
        entry["Status"] = (int)SiloStatus.Dead;
        await database.HashSetAsync(Table, [new(row.Name, entry.ToJsonString())]);
        await database.HashIncrementAsync(Table, Version);
    }
}
