using System.Text.Json;
using Herd.Testing;
using StackExchange.Redis;

namespace Herd.Cluster.Tests;

/// <summary>Another user of the machine, who tries files, sockets, /proc and ports.</summary>
[Collection(nameof(RealCluster))]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class StrangerTests(RealCluster cluster)
{
    /// <summary>The user "nobody", without groups.</summary>
    private static readonly string[] AsNobody =
        ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "node"];

    private static readonly string[] Processes = ["store", "node-1", "node-2", "gateway-1"];

    [Fact]
    public async Task Stranger_TriesEverything_GetsNothing()
    {
        var conversation = (await cluster.New()).ConversationId;
        var turn = await cluster.Say(conversation, "What is the capital of France?");
        await cluster.WaitForKvFile(turn.Node, conversation);

        var stranger = await Try("setpriv", AsNobody);
        var owner = await Try("node");

        // What the owner gets shows that the script looks at the right places.
        Assert.Contains(owner.Files, file => file.EndsWith(".kv", StringComparison.Ordinal));
        Assert.Contains(Path.Combine(cluster.Home, "store.password"), owner.Files);
        Assert.True(owner.Processes.Count >= 4 * Processes.Length);
        Assert.True(owner.Sockets.Count >= Processes.Length);
        Assert.Empty(stranger.Files);
        Assert.Empty(stranger.Processes);
        Assert.Empty(stranger.Sockets);
        Assert.Single(stranger.Store, reply => reply.Contains("NOAUTH", StringComparison.Ordinal));
        Assert.All(stranger.Store, reply =>
        {
            Assert.DoesNotContain("+PONG", reply, StringComparison.Ordinal);
            Assert.DoesNotContain("redis_version", reply, StringComparison.Ordinal);
            Assert.DoesNotContain("herd:", reply, StringComparison.Ordinal);
        });
        foreach (var name in new[] { "store.password", "operator.key" })
        {
            var secret = await File.ReadAllTextAsync(cluster.NewPath(name), TestContext.Current.CancellationToken);
            Assert.All(stranger.Lines, line => Assert.DoesNotContain(secret.Trim(), line, StringComparison.Ordinal));
        }
    }

    /// <summary>Also in a folder that others may enter, such as one with files of the user's own.</summary>
    [Fact]
    public void Files_OfEveryProcess_AreTheirOwnersOnly()
    {
        var open = Directory.EnumerateFileSystemEntries(cluster.Home, "*", SearchOption.AllDirectories)
            .Where(path => (File.GetUnixFileMode(path) & ~UserOnly) != 0)
            .Select(path => $"{path}: {File.GetUnixFileMode(path)}");

        Assert.Empty(open);
    }

    [Fact]
    public async Task Connect_WrongPassword_IsRefused()
    {
        var options = ConfigurationOptions.Parse(cluster.Store);
        options.Password = "guess";

        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync(options));
    }

    private const UnixFileMode UserOnly =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private async Task<Loot> Try(string program, params string[] arguments)
    {
        var script = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "tests", "Cluster.Tests", "npm", "stranger.mjs"),
            TestContext.Current.CancellationToken);
        var pids = Processes.Select(cluster.Pid).ToList();
        var output = await Tool.Run("/", program,
        [
            .. arguments, "--input-type=module", "-e", script,
            JsonSerializer.Serialize(new { home = cluster.Home, pids, ports = ListeningPorts.Find(pids) }),
        ]);
        return JsonSerializer.Deserialize<Loot>(output, JsonSerializerOptions.Web)!;
    }

    private sealed record Loot(
        IReadOnlyList<string> Files,
        IReadOnlyList<string> Processes,
        IReadOnlyList<string> Sockets,
        IReadOnlyList<string> Store,
        IReadOnlyList<string> Lines);
}
