using System.Text.Json.Nodes;
using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>Processes that join and leave the cluster while others, or the store, do not respond.</summary>
public sealed class MembershipTests : IAsyncLifetime
{
    private readonly HerdCluster _cluster = new();
    private string _model = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _model = TinyModel.Write(_cluster.NewPath("tiny.gguf"));
        await _cluster.Up("--model", _model);
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    /// <summary>
    /// A node that joins calls every active member. It waits for those that are frozen; meanwhile it is frozen itself
    /// and declared dead by them.
    /// </summary>
    [Fact]
    public async Task Join_DeclaredDeadBeforeItIsActive_JoinsAgainAsANewMember()
    {
        string[] members = ["gateway-1", "node-1", "node-2"];
        foreach (var member in members)
        {
            await _cluster.Freeze(member);
        }

        using var up = _cluster.StartUp("--model", _model, "--nodes", "3");
        var log = _cluster.NewPath("logs/node-3.log");
        await Poll.Until(
            () => Task.FromResult(File.Exists(log) ? File.ReadAllText(log) : ""),
            text => text.Contains("Failed to get ping responses", StringComparison.Ordinal));
        var pid = _cluster.Pid("node-3");
        await _cluster.Freeze("node-3");
        foreach (var member in members)
        {
            await _cluster.Continue(member);
        }

        await Poll.Until(() => Statuses("node-3"), statuses => statuses.Contains(SiloStatus.Dead));
        await _cluster.Continue("node-3");

        await up.WaitForExitAsync(Cancellation);
        Assert.Equal("", await up.StandardError.ReadToEndAsync(Cancellation));
        await _cluster.WaitForNodes(3);
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

    /// <summary>The statuses that the members with a name have in the store.</summary>
    private async Task<IReadOnlyList<SiloStatus>> Statuses(string name)
    {
        await using var store = await ConnectionMultiplexer.ConnectAsync(_cluster.Store);
        var members = await store.GetDatabase().HashGetAllAsync("herd/members/herd");
        return
        [
            .. members.Where(member => member.Name != "Version")
                .Select(member => JsonNode.Parse(member.Value.ToString())!)
                .Where(member => member["SiloName"]!.GetValue<string>() == name)
                .Select(member => (SiloStatus)member["Status"]!.GetValue<int>()),
        ];
    }
}
